//! The head of the log, as an append needs to know it.

use crate::{event_log::event::Position, postgres::PgTimestamp};

/// The head of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    /// The stamp of the event there. A log that was restored, and has come to the same position again, has another.
    pub(super) stamp: PgTimestamp,
    /// The partitions reach to here.
    pub(super) partitioned_to: Position,
}

impl Head {
    /// Whether this is the same event of the same log.
    pub(super) fn is_same(self, other: Self) -> bool {
        (self.position, self.stamp) == (other.position, other.stamp)
    }
}
