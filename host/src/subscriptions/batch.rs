//! Batches of the log, as a consumer gets them.

use super::piece::Part;
use crate::{
    event_log::{PageSize, Position},
    runtime::Delivery,
};

/// How much of the log a module gets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Events, at most.
    pub max_events: usize,
    /// Bytes of events, about.
    pub max_bytes: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { max_events: 32768, max_bytes: 16 * 1024 * 1024 }
    }
}

/// A range of the log: the events in it that match the filter.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) events: BatchEvents,
    /// The last position of the range, whether or not the event there matches.
    pub(crate) to: Position,
    /// Whether the log ended here when it was read.
    pub(crate) at_head: bool,
}

/// Events in the order of their positions. Other batches may have them as well.
#[derive(Debug)]
pub(crate) struct BatchEvents {
    parts: Vec<Part>,
}

impl BatchEvents {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// The events.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Delivery> {
        self.parts.iter().flat_map(Part::events)
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Option<&Delivery> {
        self.parts.iter().rev().find_map(Part::last)
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(Part::bytes).sum()
    }
}

impl Batch {
    pub(super) fn of(part: Part, to: Position, at_head: bool) -> Self {
        Self { events: BatchEvents { parts: vec![part] }, to, at_head }
    }

    /// Whether it and what comes behind it have a size.
    pub(super) fn has_room(&self, next: &Self, size: BatchSize) -> bool {
        self.events.len() + next.events.len() <= size.max_events
            && self.events.bytes() + next.events.bytes() <= size.max_bytes
    }

    /// Adds what comes behind it.
    pub(super) fn append(&mut self, mut next: Self) {
        self.events.parts.append(&mut next.events.parts);
        (self.to, self.at_head) = (next.to, next.at_head);
    }
}

impl BatchSize {
    pub(super) fn min(self, other: Self) -> Self {
        let (max_events, max_bytes) = (self.max_events.min(other.max_events), self.max_bytes.min(other.max_bytes));
        Self { max_events, max_bytes }
    }

    /// What is read at once. How many events fit is a guess; where they are suddenly larger, their bytes end the batch.
    pub(super) fn page(self, events: usize) -> PageSize {
        PageSize { events, bytes: self.max_bytes.saturating_mul(4) }
    }

    /// The number of events that keeps the next piece within its bytes, if its events are as large as those of the last one;
    /// at most twice as many as before.
    pub(super) fn next_limit(self, limit: usize, last: &Batch) -> usize {
        // An empty piece says nothing about the size of events.
        if last.events.len() == 0 {
            return limit;
        }
        let average = last.events.bytes() / last.events.len();
        let fitting = self.max_bytes / average.max(1);
        fitting.clamp(1, self.max_events.min(limit * 2))
    }
}
