//! The current event, as clocks, randomness and log lines see it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

/// Where a module is in its batch. The parts of the sandbox that answer differently for each event share it; the guest runs
/// on one thread, so nothing here is ever contended.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct EventCursor {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    position: AtomicU64,
    /// Microseconds since 1970.
    time: AtomicI64,
    /// Random numbers drawn since the event began.
    draws: AtomicU64,
}

impl EventCursor {
    pub(in crate::runtime) fn set(&self, position: u64, time: i64) {
        self.shared.position.store(position, Ordering::Relaxed);
        self.shared.time.store(time, Ordering::Relaxed);
        self.shared.draws.store(0, Ordering::Relaxed);
    }

    /// The position of the current event; 0 while there is none.
    pub(in crate::runtime) fn position(&self) -> u64 {
        self.shared.position.load(Ordering::Relaxed)
    }

    pub(in crate::runtime) fn time(&self) -> i64 {
        self.shared.time.load(Ordering::Relaxed)
    }

    /// How many random numbers were drawn before this one since the event began.
    pub(in crate::runtime) fn draw(&self) -> u64 {
        self.shared.draws.fetch_add(1, Ordering::Relaxed)
    }
}
