//! When a snapshot is taken.

use crate::{
    event_log::StreamVersion,
    past::reading::EventStamp,
    read_model::{WriteSet, encode_rows},
};

/// Bytes of a snapshot, at most.
pub const MAX_SNAPSHOT_BYTES: usize = 1 << 20;

/// In memory, rows take so many times as many bytes as they do in a snapshot, about.
const ENCODED: usize = 4;

/// Takes snapshots of a stream that is folded: at versions that are multiples of a number, and only where the events since the last one take as
/// many bytes as the snapshot, or where the stream has doubled. So all snapshots of a stream take about as much as its events, or twice as
/// much as its rows, however these grow.
#[derive(Clone, Copy, Debug)]
pub(in crate::past) struct Spacing {
    every: u64,
    /// Bytes of the events since the last snapshot.
    bytes: usize,
    /// The version of the last snapshot, or where folding began.
    last: StreamVersion,
}

/// A snapshot that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::past) struct Taken {
    /// The event after which it was taken.
    pub(in crate::past) stamp: EventStamp,
    /// The rows.
    pub(in crate::past) contents: Vec<u8>,
}

impl Spacing {
    /// Of a stream that is folded from the event after `last` on.
    pub(in crate::past) fn new(every: usize, last: StreamVersion) -> Self {
        Self { every: u64::try_from(every).unwrap_or(u64::MAX).max(1), bytes: 0, last }
    }

    /// The event of this version is folded next, and has so many bytes: whether a snapshot may be due behind it.
    pub(in crate::past) fn is_boundary(&mut self, version: StreamVersion, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        version.0.is_multiple_of(self.every) && version > self.last
    }

    /// Takes a snapshot behind an event, if one is due.
    pub(in crate::past) fn take(&mut self, stamp: EventStamp, rows: &WriteSet) -> Option<Taken> {
        let has_doubled = stamp.version.0 / 2 >= self.last.0;
        if !has_doubled && self.bytes < rows.bytes() / ENCODED {
            return None;
        }
        let contents = encode_rows(rows);
        if contents.len() > MAX_SNAPSHOT_BYTES {
            return None;
        }
        (self.bytes, self.last) = (0, stamp.version);
        Some(Taken { stamp, contents })
    }
}
