//! Settings of the past.

use std::time::Duration;

/// Settings of the past of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastSettings {
    /// Events of a stream from one snapshot to the next, at least.
    pub snapshot_every: usize,
    /// Bytes of all snapshots together; those not used for longest are removed.
    pub max_snapshots_bytes: u64,
    /// Memory of the rows of one stream, in bytes.
    pub max_fold_bytes: usize,
    /// How long the events of a stream may be folded for one answer.
    pub past_timeout: Duration,
    /// Answers that are folded at once.
    pub max_folds: usize,
}

impl Default for PastSettings {
    fn default() -> Self {
        Self {
            snapshot_every: 100,
            max_snapshots_bytes: 1024 * 1024 * 1024,
            max_fold_bytes: 32 * 1024 * 1024,
            // A million small events take some seconds, and more where Postgres is busy.
            past_timeout: Duration::from_secs(30),
            max_folds: 4,
        }
    }
}
