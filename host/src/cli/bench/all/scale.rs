//! How much is measured.

use std::time::Duration;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// Events of a log that is imported.
    pub(super) events: u64,
    /// How long clients ask.
    pub(super) time: Duration,
    /// How often each row is measured.
    pub(super) rounds: u32,
}
