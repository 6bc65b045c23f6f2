//! Events for tests.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
};

use gnomon_values::{Instant, json::json_depth, limits, names, projection};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    event::{EventText, RawEvent},
    upcaster::batch::RawUpcasted,
};

/// The first event of a test happens a second later, unless it has another time.
const BEFORE_THE_FIRST: Instant = Instant(1_767_225_600_000_000); // 2026-01-01T00:00:00Z

/// An event for a test. Its position and version are assigned when the test runs, and so is its id unless it has one.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestEvent {
    stream: String,
    event_type: String,
    data: String,
    schema_version: u32,
    id: Option<Uuid>,
    time: Option<Instant>,
    metadata: Option<String>,
    tags: Vec<String>,
}

/// An event of this stream and type, with any data that serde can serialize.
///
/// It has schema version 1, no metadata, no tags, and happens a second after the one before it.
///
/// # Panics
/// The data cannot be written as JSON.
#[track_caller]
pub fn event(stream: impl Into<String>, event_type: impl Into<String>, data: impl Serialize) -> TestEvent {
    TestEvent {
        stream: stream.into(),
        event_type: event_type.into(),
        data: as_json(&data, "data"),
        schema_version: 1,
        id: None,
        time: None,
        metadata: None,
        tags: Vec::new(),
    }
}

impl TestEvent {
    /// Sets when the event happens: `.at("2026-01-01T00:00:00Z")`.
    ///
    /// # Panics
    /// The text is not a time that the log accepts.
    #[track_caller]
    pub fn at(mut self, time: &str) -> Self {
        match Instant::parse(time) {
            Ok(time) => self.time = Some(time),
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// Sets the schema version of the data.
    pub fn schema_version(mut self, version: u32) -> Self {
        self.schema_version = version;
        self
    }

    /// Sets the metadata.
    ///
    /// # Panics
    /// The metadata cannot be written as JSON.
    #[track_caller]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.metadata = Some(as_json(&metadata, "metadata"));
        self
    }

    /// Adds a tag: `.tagged("course:c1").tagged("student:s7")`. One that the event has already is not added again.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self
    }

    /// Sets the id.
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }
}

#[track_caller]
fn as_json(value: &impl Serialize, what: &str) -> String {
    match serde_json::to_string(value) {
        Ok(text) => text,
        Err(error) => panic!("the {what} cannot be written as JSON: {error}"),
    }
}

/// Reads events from JSON lines, in the format of `gnomon import`:
/// `{"id": …, "stream": "account-1", "type": "AccountOpened", "time": "2026-01-01T00:00:00Z", "tags": ["bank:b1"], "data": {…}}`,
/// where `id`, `time`, `tags`, `schema_version` and `metadata` are optional. An id that is not a UUID is ignored. An event with tags
/// needs no `stream`: it is in that of its first tag, `bank-b1`.
///
/// # Panics
/// A line cannot be read, or is not such an event.
#[track_caller]
pub fn read_json_lines(lines: impl Read) -> Vec<TestEvent> {
    let mut events = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(lines).lines()) {
        let line = match line {
            Ok(line) => line,
            Err(error) => panic!("line {number} cannot be read: {error}"),
        };
        match serde_json::from_str::<Line>(&line) {
            Ok(line) => match line.event() {
                Some(event) => events.push(event),
                None => panic!("line {number} is not an event: it has neither a `stream` nor `tags`"),
            },
            Err(error) => panic!("line {number} is not an event: {error}"),
        }
    }
    events
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<serde_json::Value>,
    stream: Option<String>,
    #[serde(rename = "type")]
    event_type: String,
    schema_version: Option<u32>,
    time: Option<Instant>,
    #[serde(default)]
    tags: Vec<String>,
    data: Box<RawValue>,
    metadata: Option<Box<RawValue>>,
}

impl Line {
    /// `None` if it has neither a stream nor a tag.
    fn event(self) -> Option<TestEvent> {
        let of_tag = || self.tags.first().map(|tag| names::stream_of_tag(tag));
        let event = TestEvent {
            stream: self.stream.or_else(of_tag)?,
            event_type: self.event_type,
            data: self.data.get().to_owned(),
            schema_version: self.schema_version.unwrap_or(1),
            id: self.id.and_then(|id| id.as_str()?.parse().ok()),
            time: self.time,
            metadata: self.metadata.map(|metadata| metadata.get().to_owned()),
            tags: Vec::new(),
        };
        Some(self.tags.into_iter().fold(event, TestEvent::tagged))
    }
}

/// Checks that a log accepts the event.
fn check(event: &TestEvent) -> Result<(), String> {
    let TestEvent { stream, event_type, data, schema_version, metadata, tags, .. } = event;
    names::check_stream(stream).map_err(|error| error.to_string())?;
    names::check_event_type(event_type).map_err(|error| error.to_string())?;
    if !projection::is_schema_version(*schema_version) {
        return Err(projection::not_a_schema_version(*schema_version));
    }
    for text in [Some(data), metadata.as_ref()].into_iter().flatten() {
        limits::check("depth of its JSON", "max_json_depth", json_depth(text), limits::MAX_JSON_DEPTH)
            .map_err(|error| error.to_string())?;
    }
    check_tags(tags)?;
    let bytes = data.len() + metadata.as_ref().map_or(0, String::len);
    [
        match names::is_reserved(stream) {
            // Named by the host after a stream or a schedule, so it may be longer.
            true => Ok(()),
            false => limits::check(
                "bytes of the stream's name",
                "max_stream_name_bytes",
                stream.len(),
                limits::DEFAULT_MAX_STREAM_NAME_BYTES,
            ),
        },
        limits::check(
            "bytes of its type",
            "max_event_type_bytes",
            event_type.len(),
            limits::DEFAULT_MAX_EVENT_TYPE_BYTES,
        ),
        limits::check("bytes of data and metadata", "max_event_bytes", bytes, limits::DEFAULT_MAX_EVENT_BYTES),
    ]
    .into_iter()
    .try_for_each(|checked| checked.map_err(|error| error.to_string()))
}

/// Checks that a log accepts the tags.
pub(super) fn check_tags(tags: &[String]) -> Result<(), String> {
    limits::check("its tags", "max_event_tags", tags.len(), limits::DEFAULT_MAX_EVENT_TAGS)
        .map_err(|error| error.to_string())?;
    tags.iter().try_for_each(|tag| {
        names::check_tag(tag).map_err(|error| error.to_string())?;
        limits::check("bytes of a tag", "max_tag_bytes", tag.len(), limits::DEFAULT_MAX_TAG_BYTES)
            .map_err(|error| error.to_string())
    })
}

/// The events as a log would deliver them.
///
/// # Panics
/// A log would refuse one of them.
#[track_caller]
pub(super) fn appended(events: &[TestEvent]) -> Vec<RawEvent> {
    let mut versions: HashMap<&str, u64> = HashMap::new();
    let mut time = BEFORE_THE_FIRST;
    let mut log = Vec::with_capacity(events.len());
    for (position, event) in (1_u64..).zip(events) {
        if let Err(reason) = check(event) {
            panic!("a log refuses event {position}: {reason}");
        }
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        time = event.time.unwrap_or(Instant::MAX.min(Instant(time.0 + 1_000_000)));
        log.push(RawEvent {
            position,
            part: 0,
            stream: event.stream.clone().into(),
            version: *version,
            id: event.id.unwrap_or(Uuid::from_u128(position.into())),
            event_type: event.event_type.clone().into(),
            schema_version: event.schema_version,
            data: event.data.clone().into(),
            metadata: event.metadata.clone().map(EventText::from),
            time: time.0,
            recorded_at: time.0,
            tags: event.tags.clone(),
        });
    }
    log
}

/// The result of upcasting an event, as an event of a test.
pub(super) fn recorded(event: &RawEvent, made: RawUpcasted) -> TestEvent {
    TestEvent {
        stream: event.stream.to_string(),
        event_type: made.event_type,
        data: made.data,
        schema_version: made.schema_version,
        id: Some(event.id),
        time: Some(Instant(event.time)),
        metadata: made.metadata,
        tags: made.tags,
    }
}
