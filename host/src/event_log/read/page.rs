//! Pages, and how they fill.

use crate::event_log::event::{Position, RecordedEvent, StreamVersion};

/// How much a page may have. It has one event in any case, however large that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    /// Events, at most.
    pub events: usize,
    /// Bytes of events: the page ends with the event that reaches them.
    pub bytes: usize,
}

impl From<usize> for PageSize {
    /// So many events, of any size.
    fn from(events: usize) -> Self {
        Self { events, bytes: usize::MAX }
    }
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The events, in the order of reading.
    pub events: Vec<RecordedEvent>,
    /// The position that the next page begins after; `None` at the oldest event when reading backward.
    ///
    /// It may be beyond the last event, as far as the log was searched for events that match. A page that ends early, because of its bytes,
    /// has it as well.
    pub next: Option<Position>,
    /// The newest event's position when the page was read.
    pub head: Position,
}

/// A page of a stream.
#[derive(Clone, Debug)]
pub struct StreamPage {
    /// The events, in the order of reading.
    pub events: Vec<RecordedEvent>,
    /// The version that the next page begins after; `None` at the oldest event when reading backward.
    pub next: Option<StreamVersion>,
    /// The newest event's version when the page was read.
    pub version: StreamVersion,
}

/// A page that is being read.
pub(super) struct Filling {
    size: PageSize,
    pub(super) events: Vec<RecordedEvent>,
    bytes: usize,
}

impl Filling {
    pub(super) fn new(size: PageSize) -> Self {
        Self { size, events: Vec::new(), bytes: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= self.size.events || self.bytes >= self.size.bytes
    }

    /// What there is still room for.
    pub(super) fn room(&self) -> PageSize {
        PageSize { events: self.size.events - self.events.len(), bytes: self.size.bytes.saturating_sub(self.bytes) }
    }

    pub(super) fn add(&mut self, events: Vec<RecordedEvent>) {
        self.bytes += events.iter().map(RecordedEvent::bytes).sum::<usize>();
        if self.events.is_empty() {
            self.events = events;
        } else {
            self.events.extend(events);
        }
    }
}
