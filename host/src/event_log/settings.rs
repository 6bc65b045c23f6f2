//! Settings of the log.

use std::time::Duration;

use super::limits::Limits;
use crate::postgres::ANSWER_TIMEOUT;

/// Settings of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventLogSettings {
    /// How large an append may be.
    pub limits: Limits,
    /// Positions in one partition of the table of events.
    pub partition_events: u64,
    /// How long an append waits for a Postgres that does not answer, or for the lock of the log.
    pub append_timeout: Duration,
    /// How long Postgres may take to answer one try of an append; after that, the host makes a new connection and tries again.
    pub answer_timeout: Duration,
    /// How long another host may hold the lock of the log, and stand still, while this one waits for it.
    pub end_stuck_after: Duration,
}

impl Default for EventLogSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            partition_events: 10_000_000,
            append_timeout: Duration::from_secs(30),
            answer_timeout: ANSWER_TIMEOUT,
            // As long as Postgres waits for a host that is frozen between two statements.
            end_stuck_after: Duration::from_secs(5),
        }
    }
}
