//! Events that clients append and read.

use serde_json::value::RawValue;

use crate::{
    api,
    event_log::{
        Appended, Direction, EventId, EventType, ExpectedVersion, Imported, JsonText, JsonTextError, Line, NewEvent,
        RecordedEvent, SchemaVersion, StreamName, StreamSummary, StreamVersion, Tag, distinct_tags,
    },
    http::{
        problem::{Code, Problem},
        server_error::internal,
    },
    runtime::Delivery,
};

impl From<api::Direction> for Direction {
    fn from(direction: api::Direction) -> Self {
        match direction {
            api::Direction::Forward => Self::Forward,
            api::Direction::Backward => Self::Backward,
        }
    }
}

impl From<api::ExpectedVersion> for ExpectedVersion {
    fn from(expected: api::ExpectedVersion) -> Self {
        match expected {
            api::ExpectedVersion::Any => Self::Any,
            api::ExpectedVersion::NoStream => Self::NoStream,
            api::ExpectedVersion::Exact(version) => Self::Exact(StreamVersion(version)),
        }
    }
}

/// The problem of a field of a request.
pub(in crate::http) fn invalid_field(field: String, reason: impl std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidBody, format!("{field}: {reason}")).with("field", field)
}

/// The events of a request; `path` is the field that has the list.
pub(in crate::http) fn new_events(events: Vec<api::NewEvent>, path: &str) -> Result<Vec<NewEvent>, Problem> {
    let event = |(index, event): (usize, api::NewEvent)| new_event(event, &format!("{path}[{index}]."));
    events.into_iter().enumerate().map(event).collect()
}

/// An event of a request; `path` is put before the names of its fields.
pub(in crate::http) fn new_event(event: api::NewEvent, path: &str) -> Result<NewEvent, Problem> {
    let api::NewEvent { id, event_type, schema_version, time, tags: written, data, metadata } = event;
    let id = match id {
        None => EventId::make(),
        // Many programs write it if they have no id; two events with it would be one event.
        Some(id) if id.is_nil() => {
            let reason = "the nil UUID is not the id of an event; leave `id` out, or give each event one of its own";
            return Err(invalid_field(format!("{path}id"), reason));
        }
        Some(id) => EventId::Given(id),
    };
    Ok(NewEvent {
        id,
        event_type: EventType::new(event_type).map_err(|error| invalid_field(format!("{path}type"), error))?,
        schema_version: SchemaVersion::try_from(schema_version)
            .map_err(|error| invalid_field(format!("{path}schema_version"), error))?,
        time,
        tags: distinct_tags(tags(written, path)?),
        data: json_text(data, || format!("{path}data"))?,
        metadata: metadata.map(|metadata| json_text(metadata, || format!("{path}metadata"))).transpose()?,
    })
}

/// The tags of an event or of an event query; `path` is put before the name of their field.
pub(super) fn tags(tags: Vec<String>, path: &str) -> Result<Vec<Tag>, Problem> {
    let tag = |(index, tag): (usize, String)| {
        Tag::new(tag).map_err(|error| invalid_field(format!("{path}tags[{index}]"), error))
    };
    tags.into_iter().enumerate().map(tag).collect()
}

/// The types of an event query; `path` is put before the name of their field.
pub(super) fn event_types(types: Vec<String>, path: &str) -> Result<Vec<EventType>, Problem> {
    let event_type = |(index, name): (usize, String)| {
        EventType::new(name).map_err(|error| invalid_field(format!("{path}types[{index}]"), error))
    };
    types.into_iter().enumerate().map(event_type).collect()
}

/// JSON that an event may hold; `field` names it.
fn json_text(json: Box<RawValue>, field: impl Fn() -> String) -> Result<JsonText, Problem> {
    JsonText::try_from(json).map_err(|error| match error {
        JsonTextError::Depth(error) => Problem::from(error.of(field())),
        error => invalid_field(field(), error),
    })
}

/// A line of an import.
pub(in crate::http) fn import_line(line: api::ImportLine) -> Result<Line, Problem> {
    let api::ImportLine { stream, id, event_type, schema_version, time, tags, data, metadata, part, .. } = line;
    if part.is_some() {
        let reason =
            "the event is as upcasters make it; import events as they are in the log, which are read without `upcast`";
        return Err(invalid_field("part".to_owned(), reason));
    }
    let stream = stream.map(StreamName::new).transpose().map_err(|error| invalid_field("stream".to_owned(), error))?;
    let event = new_event(api::NewEvent { id, event_type, schema_version, time, tags, data, metadata }, "")?;
    match stream {
        Some(stream) => Ok((stream, event)),
        None => Ok((stream_of_tags(&event, "")?, event)),
    }
}

/// The stream of an event that is appended without one; `path` is put before the name of the field of its tags.
pub(in crate::http) fn stream_of_tags(event: &NewEvent, path: &str) -> Result<StreamName, Problem> {
    let Some(first) = event.tags.first() else {
        let reason = "the event has neither a stream nor a tag; without a stream, it goes into that of its first tag";
        return Err(invalid_field(format!("{path}tags"), reason));
    };
    first.stream().map_err(|error| invalid_field(format!("{path}tags[0]"), error))
}

/// The stream of an append; `path` is the field that has the append.
pub(in crate::http) fn stream_name(name: String, path: &str) -> Result<StreamName, Problem> {
    StreamName::new(name).map_err(|error| invalid_field(format!("{path}.stream"), error))
}

impl From<Appended> for api::Appended {
    fn from(appended: Appended) -> Self {
        Self {
            stream: appended.stream.into(),
            first_version: appended.first_version.0,
            last_version: appended.last_version.0,
            first_position: appended.first_position.0,
            last_position: appended.last_position.0,
        }
    }
}

impl From<Imported> for api::Imported {
    fn from(imported: Imported) -> Self {
        Self {
            imported: imported.imported,
            repeated: imported.repeated,
            first_position: imported.first_position.map(|position| position.0),
            last_position: imported.last_position.map(|position| position.0),
        }
    }
}

impl From<StreamSummary> for api::Stream {
    fn from(StreamSummary { stream, version, last_position }: StreamSummary) -> Self {
        Self { stream: stream.into(), version: version.0, last_position: last_position.0 }
    }
}

/// Cannot fail for events of the log, which checks that their data and metadata are JSON.
pub(super) fn json(text: impl Into<String>) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(text.into()).map_err(|error| internal(&error))
}

/// An event as it was recorded.
pub(in crate::http) fn event(event: RecordedEvent) -> Result<api::Event, Problem> {
    Ok(api::Event {
        position: event.position.0,
        part: None,
        stream: event.stream.into(),
        version: event.version.0,
        id: event.id,
        event_type: event.event_type.into(),
        schema_version: event.schema_version.into(),
        time: event.time,
        recorded_at: event.recorded_at,
        tags: event.tags.into_iter().map(Into::into).collect(),
        data: json(event.data)?,
        metadata: event.metadata.map(json).transpose()?,
    })
}

/// An event that came out of the upcasters.
pub(in crate::http) fn upcasted(event: Delivery) -> Result<api::Event, Problem> {
    Ok(api::Event {
        position: event.position.0,
        part: Some(event.part),
        stream: event.stream.into(),
        version: event.version.0,
        id: event.id,
        event_type: event.event_type.into(),
        schema_version: event.schema_version.into(),
        time: event.time,
        recorded_at: event.recorded_at,
        tags: event.tags.into_iter().map(String::from).collect(),
        data: json(event.data)?,
        metadata: event.metadata.map(json).transpose()?,
    })
}
