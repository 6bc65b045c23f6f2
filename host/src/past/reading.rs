//! Reading the events of a stream, page after page, so that all of them are of one log.

use gnomon_values::Instant;
use uuid::Uuid;

use super::error::PastError;
use crate::event_log::{Direction, EventLog, PageSize, Position, RecordedEvent, StreamName, StreamVersion};

/// Events of a page, …
const EVENTS: usize = 4096;
/// … and their bytes.
const BYTES: usize = 8 << 20;

/// What tells an event from any other, also of a log from before a restore: no two that differ have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventStamp {
    pub(super) version: StreamVersion,
    pub(super) position: Position,
    pub(super) id: Uuid,
    pub(super) recorded_at: Instant,
}

impl EventStamp {
    pub(super) fn of(event: &RecordedEvent) -> Self {
        let RecordedEvent { version, position, id, recorded_at, .. } = *event;
        Self { version, position, id, recorded_at }
    }
}

/// Reads a stream forward. Each page begins with the last event of the one before, so that a log which is restored in between is noticed.
pub(super) struct StreamReading<'r> {
    log: &'r EventLog,
    stream: &'r StreamName,
    last: Option<EventStamp>,
    /// The bytes of that event, which the next page has once more.
    last_bytes: usize,
}

/// A page is not the continuation of what was read before.
#[derive(Debug)]
pub(super) struct OtherLog;

impl<'r> StreamReading<'r> {
    /// Begins after an event, or at the first one.
    pub(super) fn after(log: &'r EventLog, stream: &'r StreamName, last: Option<EventStamp>) -> Self {
        Self { log, stream, last, last_bytes: log.limits().max_event_bytes }
    }

    /// The last event that was read.
    pub(super) fn last(&self) -> Option<EventStamp> {
        self.last
    }

    /// The version of the last event that was read.
    pub(super) fn version(&self) -> StreamVersion {
        self.last.map(|last| last.version).unwrap_or_default()
    }

    /// The next events, up to a version that the stream has; none if that is read already.
    pub(super) async fn next(&mut self, to: StreamVersion) -> Result<Result<Vec<RecordedEvent>, OtherLog>, PastError> {
        let from = self.version();
        let again = usize::from(self.last.is_some());
        let wanted = usize::try_from(to.0.saturating_sub(from.0)).unwrap_or(usize::MAX);
        if wanted + again == 0 {
            return Ok(Ok(Vec::new()));
        }
        let after = self.last.map(|last| StreamVersion(last.version.0 - 1));
        let size = PageSize { events: EVENTS.min(wanted) + again, bytes: BYTES.saturating_add(self.last_bytes) };
        let page = self.log.read_stream(self.stream, after, size, Direction::Forward).await?;
        let mut events = page.map(|page| page.events).unwrap_or_default().into_iter();
        if self.last.is_some() && events.next().as_ref().map(EventStamp::of) != self.last {
            return Ok(Err(OtherLog));
        }
        let events: Vec<RecordedEvent> = events.collect();
        if events.is_empty() && wanted > 0 {
            return Ok(Err(OtherLog));
        }
        if let Some(last) = events.last() {
            (self.last, self.last_bytes) = (Some(EventStamp::of(last)), last.bytes());
        }
        Ok(Ok(events))
    }
}
