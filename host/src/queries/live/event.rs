//! What followers get.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{builds::BuildNumber, event_log::Position, read_model::Identifier};

/// Something that a follower gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveEvent {
    /// Whatever the follower has, it forgets. All rows that match come now, as inserted.
    Snapshot {
        /// Why.
        reason: SnapshotReason,
        /// The position that the rows are of.
        position: Position,
        /// Their build.
        build: BuildNumber,
    },
    /// A row that matches now, or does not any more.
    Row {
        /// What has become of it.
        change: RowChange,
        /// The row is as it is at this position.
        position: Position,
        /// Its key, a JSON object.
        key: Arc<str>,
        /// The row, a JSON object, unless it is deleted.
        row: Option<Arc<str>>,
    },
    /// The whole answer, a JSON array: of a query whose rows have no keys.
    Answer {
        /// The position that it is of.
        position: Position,
        /// Its rows.
        rows: Arc<str>,
    },
    /// Another build is read from now on.
    Swapped {
        /// Its position.
        position: Position,
        /// Its number.
        build: BuildNumber,
    },
    /// The rows that the follower has are those of this position.
    Current {
        /// The position.
        position: Position,
        /// Their build.
        build: BuildNumber,
        /// From which one goes on later.
        id: LiveId,
    },
    /// Nothing more comes.
    End {
        /// Why.
        reason: String,
    },
}

impl LiveEvent {
    /// The memory that it takes, about.
    fn bytes(&self) -> usize {
        const REST: usize = 96;
        REST + match self {
            Self::Row { key, row, .. } => key.len() + row.as_ref().map_or(0, |row| row.len()),
            Self::Answer { rows, .. } => rows.len(),
            Self::End { reason } => reason.len(),
            Self::Snapshot { .. } | Self::Swapped { .. } | Self::Current { .. } => 0,
        }
    }
}

/// Why a follower gets all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotReason {
    /// It has begun.
    Begin,
    /// It was away, and the host does not know what has changed since.
    Gap,
    /// It has not read what it was sent in time.
    Slow,
}

impl SnapshotReason {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Gap => "gap",
            Self::Slow => "slow",
        }
    }
}

/// What has become of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It matches now.
    Insert,
    /// It has another content.
    Update,
    /// It does not match any more, or is not there any more.
    Delete,
}

impl RowChange {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// From which a follower goes on: the rows that it has, which are of some contents and of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveId {
    pub(super) contents: Uuid,
    /// The hash of the query.
    pub(super) query: u64,
}

impl LiveId {
    /// What a follower gets as its id until it has all rows that it begins with. It is none.
    pub const NONE: &'static str = "none";

    /// The hash of a query, by which the ids of its followers are known to be of it.
    pub(super) fn query(projection: &Identifier, table: &str, query: &str) -> u64 {
        let mut hasher = Sha256::new();
        for part in [projection.as_str(), table, query] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize()[..8]);
        u64::from_be_bytes(first)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (contents, query) = text.split_once('-')?;
        Some(Self { contents: Uuid::try_parse(contents).ok()?, query: u64::from_str_radix(query, 16).ok()? })
    }
}

impl fmt::Display for LiveId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:016x}", self.contents.simple(), self.query)
    }
}

/// Events that go together, for one follower or for many. Their bytes count in the sum of the host until the last one has them.
#[derive(Debug)]
pub struct LiveBatch {
    events: Vec<LiveEvent>,
    bytes: usize,
    in_sum: Arc<AtomicUsize>,
}

impl LiveBatch {
    pub(super) fn new(events: Vec<LiveEvent>, in_sum: &Arc<AtomicUsize>) -> Arc<Self> {
        let bytes = events.iter().map(LiveEvent::bytes).sum();
        in_sum.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Self { events, bytes, in_sum: Arc::clone(in_sum) })
    }

    /// The events, in their order.
    #[must_use]
    pub fn events(&self) -> &[LiveEvent] {
        &self.events
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for LiveBatch {
    fn drop(&mut self) {
        self.in_sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_nothing_else_is_one() {
        let id = LiveId { contents: Uuid::from_u128(7 << 90), query: 0xab };
        assert_eq!(LiveId::parse(&id.to_string()), Some(id));
        for text in ["", "7", "none", "x-1", "00000000000000000000000000000007-", "00000000000000000000000000000007-z"]
        {
            assert_eq!(LiveId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_count_until_the_last_follower_has_them() {
        let sum = Arc::default();
        let batch = LiveBatch::new(vec![LiveEvent::End { reason: "x".repeat(100) }], &sum);
        let other = Arc::clone(&batch);
        drop(batch);
        assert_eq!(sum.load(Ordering::Relaxed), other.bytes());
        drop(other);
        assert_eq!(sum.load(Ordering::Relaxed), 0);
    }
}
