//! The current event, as clocks, randomness and log lines see it.

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use gnomon_values::Instant;

use crate::event_log::Position;

/// The event that a module handles now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct CurrentEvent {
    pub(in crate::runtime) position: Position,
    pub(in crate::runtime) time: Instant,
}

/// Shares the current event between those parts of the sandbox whose answers depend on it. The guest runs on one thread, so the
/// atomics are never contended.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct EventCursor {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// 0 while there is no current event: positions count from 1.
    position: AtomicU64,
    /// Microseconds since 1970.
    time: AtomicI64,
    /// Random numbers drawn since the event began.
    draws: AtomicU64,
}

impl EventCursor {
    /// Turns to an event, or to none. The clock then stands at 1970-01-01T00:00:00Z.
    pub(in crate::runtime) fn set(&self, event: Option<CurrentEvent>) {
        let (position, time) = event.map_or((0, 0), |event| (event.position.0, event.time.0));
        self.shared.position.store(position, Ordering::Relaxed);
        self.shared.time.store(time, Ordering::Relaxed);
        self.shared.draws.store(0, Ordering::Relaxed);
    }

    /// The position of the current event.
    pub(in crate::runtime) fn position(&self) -> Option<Position> {
        let position = NonZeroU64::new(self.shared.position.load(Ordering::Relaxed));
        position.map(|position| Position(position.get()))
    }

    pub(in crate::runtime) fn time(&self) -> Instant {
        Instant(self.shared.time.load(Ordering::Relaxed))
    }

    /// Counts a random number, and answers how many were drawn before it since the event began.
    pub(in crate::runtime) fn draw(&self) -> u64 {
        self.shared.draws.fetch_add(1, Ordering::Relaxed)
    }
}
