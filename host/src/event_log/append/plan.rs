//! Deciding a group of requests, without touching the log.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Append, AppendError, Appended, Imported, Line,
    newer::{NewerEvent, NewerEvents},
    request::Appends,
    same_json::{same_json, same_metadata},
};
use crate::{
    event_log::{
        event::{EventId, NewEvent, Position, RecordedEvent, StreamVersion},
        name::{StreamName, Tag},
    },
    postgres::{PgTimestamp, array_literal},
};

/// An event to write, with its position and version.
#[derive(Debug)]
pub(super) struct PlannedEvent<'w> {
    pub(super) position: Position,
    pub(super) version: StreamVersion,
    pub(super) stream: &'w StreamName,
    pub(super) event: &'w NewEvent,
}

impl PlannedEvent<'_> {
    /// When it happened: as its writer says, else `now`.
    pub(super) fn time(&self, now: PgTimestamp) -> PgTimestamp {
        self.event.time.map_or(now, |time| PgTimestamp(time.0))
    }

    /// As it is in the log once it is committed with this stamp.
    pub(super) fn recorded(&self, stamp: PgTimestamp) -> RecordedEvent {
        let NewEvent { id, event_type, schema_version, time: _, data, metadata, tags } = self.event;
        RecordedEvent {
            position: self.position,
            stream: self.stream.clone(),
            version: self.version,
            id: id.uuid(),
            event_type: event_type.clone(),
            schema_version: *schema_version,
            time: self.time(stamp).instant(),
            recorded_at: stamp.instant(),
            data: data.clone(),
            metadata: metadata.clone(),
            tags: tags.clone(),
            is_personal: false,
        }
    }
}

/// The tags of events, each with the position of its event.
pub(super) fn tags_of<'e>(events: &'e [PlannedEvent<'_>]) -> impl Iterator<Item = (&'e Tag, Position)> {
    events.iter().flat_map(|event| event.event.tags.iter().map(|tag| (tag, event.position)))
}

/// No tags are null, as in the log.
pub(super) fn literal_of_tags(tags: &[Tag]) -> Option<String> {
    (!tags.is_empty()).then(|| array_literal(tags))
}

/// From this many events on, COPY is worth its extra round trip.
const COPY_FROM: usize = 256;

/// What a group of requests reads of the log under the lock, and what the group adds to it.
#[derive(Debug)]
pub(super) struct AppendPlan<'w> {
    /// The position of the newest event, planned ones included.
    pub(super) head: Position,
    /// The events to write.
    pub(super) events: Vec<PlannedEvent<'w>>,
    streams: HashMap<StreamName, StreamState>,
    ids: HashMap<Uuid, KnownId>,
    /// What conditions are checked against, planned appends included; `None` if no request has a condition.
    newer: Option<NewerEvents>,
}

#[derive(Clone, Copy, Debug)]
struct StreamState {
    version: StreamVersion,
    /// `None` as long as the plan adds nothing to the stream.
    last_position: Option<Position>,
}

/// The event that has an id.
#[derive(Debug)]
enum KnownId {
    /// One of the log.
    Recorded(Box<RecordedEvent>),
    /// One of this plan: its index in `events`.
    Planned(usize),
}

impl<'w> AppendPlan<'w> {
    /// `versions` has every stream that exists, and `recorded` every event whose id occurs.
    pub(super) fn new(
        head: Position,
        versions: impl IntoIterator<Item = (StreamName, StreamVersion)>,
        recorded: impl IntoIterator<Item = RecordedEvent>,
    ) -> Self {
        let streams = versions
            .into_iter()
            .map(|(stream, version)| (stream, StreamState { version, last_position: None }))
            .collect();
        let ids = recorded.into_iter().map(|event| (event.id, KnownId::Recorded(Box::new(event)))).collect();
        Self { head, events: Vec::new(), streams, ids, newer: None }
    }

    /// Sets what the conditions of the appends are checked against; `None` if there are none.
    pub(super) fn with_newer(self, newer: Option<NewerEvents>) -> Self {
        Self { newer, ..self }
    }

    /// Whether its events are to be written by COPY.
    pub(super) fn is_large(&self) -> bool {
        self.events.len() >= COPY_FROM
    }

    /// Adds what streams had before the plan to the versions of those whose events were counted from 1.
    pub(super) fn add_to_versions(&mut self, bases: &HashMap<StreamName, StreamVersion>) {
        for event in &mut self.events {
            event.version.0 += bases.get(event.stream).map_or(0, |base| base.0);
        }
        for (stream, base) in bases {
            if let Some(state) = self.streams.get_mut(stream) {
                state.version.0 += base.0;
            }
        }
    }

    /// The streams that were read or are added to, with their new version.
    pub(super) fn versions(&self) -> impl Iterator<Item = (&StreamName, StreamVersion)> {
        self.streams.iter().map(|(stream, state)| (stream, state.version))
    }

    /// The streams that the plan adds to, with their new version and last position.
    pub(super) fn changed_streams(&self) -> impl Iterator<Item = (&StreamName, StreamVersion, Position)> {
        self.streams.iter().filter_map(|(stream, state)| Some((stream, state.version, state.last_position?)))
    }

    /// Decides appends that are taken in together or not at all, after the requests that were decided before. A refused
    /// request leaves the plan as it was.
    pub(super) fn append(&mut self, request: &'w Appends) -> Result<Vec<Appended>, AppendError> {
        let Appends { appends, condition } = request;
        let repeats = appends.iter().map(|append| self.find_repeat(append)).collect::<Result<Vec<_>, _>>()?;
        if let Some(repeats) = repeats.iter().cloned().collect::<Option<Vec<_>>>() {
            return Ok(repeats);
        }
        if let Some(repeat) = repeats.into_iter().flatten().next() {
            return Err(AppendError::PartlyRepeated { stream: repeat.stream });
        }
        for append in &**appends {
            let current = self.version(&append.stream);
            if !append.expected.admits(current) {
                return Err(AppendError::Conflict {
                    stream: append.stream.clone(),
                    expected: append.expected,
                    current,
                });
            }
        }
        if let (Some(condition), Some(newer)) = (condition, &self.newer) {
            newer.check(condition)?;
        }
        let appended = appends.iter().map(|append| self.add_all(append)).collect();
        self.show_to_conditions(appends);
        Ok(appended)
    }

    /// Lets the conditions of later requests see the events of appends that were planned last.
    fn show_to_conditions(&mut self, appends: &[Append]) {
        let Some(newer) = &mut self.newer else { return };
        let count = appends.iter().map(|append| append.events.len()).sum::<usize>();
        for PlannedEvent { position, stream, event, .. } in &self.events[self.events.len() - count..] {
            let (stream, event_type) = ((*stream).clone(), event.event_type.clone());
            newer.push(NewerEvent { position: *position, stream, event_type, tags: event.tags.clone() });
        }
    }

    /// Decides the lines of an import, as [`append`](Self::append) does. An event that is in the log already is passed over.
    pub(super) fn import(&mut self, lines: &'w [Line]) -> Result<Imported, AppendError> {
        let before = self.events.len();
        let mut done = Imported::default();
        for (line, (stream, event)) in lines.iter().enumerate() {
            let Some(existing) = self.existing(event.id) else {
                let position = self.add(stream, event);
                done.imported += 1;
                done.first_position.get_or_insert(position);
                done.last_position = Some(position);
                continue;
            };
            match existing.difference(stream, event) {
                None => done.repeated += 1,
                Some(difference) => {
                    // The event of an earlier line is taken back, too: the log never has it.
                    let first_line = self.is_planned_since(before, event.id).then(|| first_with(lines, event.id));
                    let error = match first_line {
                        Some(first_line) => AppendError::LinesDiffer { id: existing.id, difference, first_line, line },
                        None => existing.taken(difference, Some(line)),
                    };
                    self.truncate(before);
                    return Err(error);
                }
            }
        }
        Ok(done)
    }

    /// Whether the event that has this id is one of this plan, from index `first` on.
    fn is_planned_since(&self, first: usize, id: EventId) -> bool {
        matches!(self.ids.get(&id.uuid()), Some(KnownId::Planned(index)) if *index >= first)
    }

    fn version(&self, stream: &StreamName) -> StreamVersion {
        self.streams.get(stream).map_or(StreamVersion(0), |state| state.version)
    }

    /// Where the append's events are if all of them are in the log already, one after the other; `None` if none of them is.
    fn find_repeat(&self, append: &Append) -> Result<Option<Appended>, AppendError> {
        let existing: Vec<_> = append.events.iter().map(|event| self.existing(event.id)).collect();
        if existing.iter().all(Option::is_none) {
            return Ok(None);
        }
        let Some(existing) = existing.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(AppendError::PartlyRepeated { stream: append.stream.clone() });
        };
        let (first, last) = (&existing[0], &existing[existing.len() - 1]);
        for (index, (existing, event)) in existing.iter().zip(&append.events).enumerate() {
            if let Some(difference) = existing.difference(&append.stream, event) {
                return Err(existing.taken(difference, None));
            }
            if existing.version.0 != first.version.0 + index as u64 {
                return Err(existing.taken("the events of this append do not follow each other there", None));
            }
        }
        Ok(Some(Appended {
            stream: append.stream.clone(),
            first_version: first.version,
            last_version: last.version,
            first_position: first.position,
            last_position: last.position,
            repeated: true,
        }))
    }

    /// The event that has this id, in the log or earlier in this plan.
    fn existing(&self, id: EventId) -> Option<Existing<'_>> {
        let id = id.uuid();
        Some(match self.ids.get(&id)? {
            KnownId::Recorded(event) => Existing {
                id,
                position: event.position,
                version: event.version,
                stream: &event.stream,
                content: Content::Recorded(event),
            },
            KnownId::Planned(index) => {
                let planned = &self.events[*index];
                Existing {
                    id,
                    position: planned.position,
                    version: planned.version,
                    stream: planned.stream,
                    content: Content::New(planned.event),
                }
            }
        })
    }

    fn add_all(&mut self, append: &'w Append) -> Appended {
        let first_version = self.version(&append.stream).next();
        let first_position = self.head.next();
        for event in &append.events {
            self.add(&append.stream, event);
        }
        Appended {
            stream: append.stream.clone(),
            first_version,
            last_version: self.version(&append.stream),
            first_position,
            last_position: self.head,
            repeated: false,
        }
    }

    fn add(&mut self, stream: &'w StreamName, event: &'w NewEvent) -> Position {
        self.head = self.head.next();
        let position = self.head;
        let state = match self.streams.get_mut(stream) {
            Some(state) => state,
            None => self
                .streams
                .entry(stream.clone())
                .or_insert(StreamState { version: StreamVersion(0), last_position: None }),
        };
        state.version = state.version.next();
        state.last_position = Some(position);
        let version = state.version;
        self.ids.insert(event.id.uuid(), KnownId::Planned(self.events.len()));
        self.events.push(PlannedEvent { position, version, stream, event });
        position
    }

    /// Takes back all planned events but the first `count`.
    fn truncate(&mut self, count: usize) {
        for planned in self.events.drain(count..).rev() {
            self.ids.remove(&planned.event.id.uuid());
            self.head = Position(planned.position.0 - 1);
            if let Some(state) = self.streams.get_mut(planned.stream) {
                state.version = StreamVersion(planned.version.0 - 1);
            }
        }
        // Streams whose last addition was taken back have an earlier one in the plan, or none.
        let mut last_positions = HashMap::new();
        for planned in &self.events {
            last_positions.insert(planned.stream, planned.position);
        }
        for (stream, state) in &mut self.streams {
            state.last_position = last_positions.get(stream).copied();
        }
    }
}

/// The index of the first line that has an id.
fn first_with(lines: &[Line], id: EventId) -> usize {
    lines.iter().position(|(_, event)| event.id.uuid() == id.uuid()).unwrap_or_default()
}

/// The event that already has an id.
#[derive(Clone, Debug)]
struct Existing<'p> {
    id: Uuid,
    position: Position,
    version: StreamVersion,
    stream: &'p StreamName,
    content: Content<'p>,
}

#[derive(Clone, Debug)]
enum Content<'p> {
    Recorded(&'p RecordedEvent),
    New(&'p NewEvent),
}

impl Existing<'_> {
    fn taken(&self, difference: &'static str, line: Option<usize>) -> AppendError {
        AppendError::IdTaken {
            id: self.id,
            stream: self.stream.clone(),
            version: self.version,
            position: self.position,
            difference,
            line,
        }
    }

    /// How the requested event differs from this one; `None` if it is the same.
    fn difference(&self, stream: &StreamName, event: &NewEvent) -> Option<&'static str> {
        let (event_type, schema_version, time, data, metadata, tags) = match self.content {
            Content::Recorded(known) => {
                let RecordedEvent { event_type, schema_version, time, data, metadata, tags, .. } = known;
                (event_type, *schema_version, Some(*time), data, metadata, tags)
            }
            Content::New(known) => {
                let NewEvent { event_type, schema_version, time, data, metadata, tags, .. } = known;
                (event_type, *schema_version, *time, data, metadata, tags)
            }
        };
        if self.stream != stream {
            return Some("belongs to another stream");
        }
        if *event_type != event.event_type || schema_version != event.schema_version {
            return Some("has another type");
        }
        // Without a time in the request, the log gives each try another, so it is not compared. A given time differs from the
        // one that the log gives to an event earlier in the same group.
        if let Some(requested) = event.time
            && time.is_none_or(|known| known != requested)
        {
            return Some("has another time");
        }
        if !same_json(Some(data.as_str()), Some(event.data.as_str())) {
            return Some("has other data");
        }
        if !same_metadata(
            metadata.as_ref().map(|json| json.as_str()),
            event.metadata.as_ref().map(|json| json.as_str()),
        ) {
            return Some("has other metadata");
        }
        // Both have each tag once.
        if tags.len() != event.tags.len() || event.tags.iter().any(|tag| !tags.contains(tag)) {
            return Some("has other tags");
        }
        None
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
