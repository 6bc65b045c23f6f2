//! Settings of the engine of reactors.

use std::time::Duration;

use crate::{folding::MAX_FOLDING_THREADS, subscriptions::BatchSize};

/// Settings of the engine of reactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReactorSettings {
    /// The limits of a batch that a module gets. What a batch is answered with is committed at once, and while its events are appended, nobody
    /// else appends.
    pub batch: BatchSize,
    /// How long a lease lasts unless it is renewed: a host that hangs keeps its reactors from other hosts for so long.
    pub lease: Duration,
    /// The largest number of events that a reactor may set aside.
    pub max_dead_letters: u64,
    /// Memory for rows that are kept from batch to batch, for all reactors together, in bytes.
    pub max_kept_rows_bytes: usize,
    /// Batches that are folded at once, at most; others wait for a thread.
    pub folding_threads: usize,
}

impl Default for ReactorSettings {
    fn default() -> Self {
        Self {
            batch: BatchSize { max_events: 4096, max_bytes: 4 * 1024 * 1024 },
            lease: Duration::from_secs(5),
            max_dead_letters: 100_000,
            max_kept_rows_bytes: 32 * 1024 * 1024,
            folding_threads: MAX_FOLDING_THREADS,
        }
    }
}
