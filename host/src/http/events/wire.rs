//! Events as clients write and read them.

use axum::response::sse;
use gnomon_values::Instant;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::{
    event_log::{
        EventId, EventType, ExpectedVersion, JsonText, NewEvent, RecordedEvent, SchemaVersion, StreamName,
        StreamVersion,
    },
    http::{errors::internal, sse::error_event},
};

/// An event to be appended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Event {
    #[serde(default, deserialize_with = "given")]
    id: Option<Uuid>,
    #[serde(rename = "type")]
    event_type: EventType,
    #[serde(default = "first")]
    schema_version: SchemaVersion,
    time: Option<Instant>,
    data: JsonText,
    metadata: Option<JsonText>,
}

/// A line of an import.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ImportLine {
    pub(in crate::http) stream: StreamName,
    #[serde(default, deserialize_with = "given")]
    id: Option<Uuid>,
    #[serde(rename = "type")]
    event_type: EventType,
    #[serde(default = "first")]
    schema_version: SchemaVersion,
    time: Option<Instant>,
    data: JsonText,
    metadata: Option<JsonText>,
}

/// `"any"`, `"no_stream"` or a version.
#[derive(Default)]
pub(in crate::http) struct Expected(ExpectedVersion);

/// The id that a client gives. The nil UUID is what many programs write where they have none: two events with it would be
/// taken for one.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let id = Option::<Uuid>::deserialize(deserializer)?;
    if id.is_some_and(|id| id.is_nil()) {
        let words = "the nil UUID is not the id of an event; leave `id` out, or give each event one of its own";
        return Err(serde::de::Error::custom(words));
    }
    Ok(id)
}

fn first() -> SchemaVersion {
    SchemaVersion::FIRST
}

impl From<Event> for NewEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id.map_or_else(EventId::make, EventId::Given),
            event_type: event.event_type,
            schema_version: event.schema_version,
            time: event.time,
            data: event.data,
            metadata: event.metadata,
        }
    }
}

impl From<ImportLine> for (StreamName, NewEvent) {
    fn from(line: ImportLine) -> Self {
        let ImportLine { stream, id, event_type, schema_version, time, data, metadata } = line;
        (stream, Event { id, event_type, schema_version, time, data, metadata }.into())
    }
}

impl From<Expected> for ExpectedVersion {
    fn from(expected: Expected) -> Self {
        expected.0
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Expected;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"any\", \"no_stream\" or a version of the stream")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expected, E> {
                match text {
                    "any" => Ok(Expected(ExpectedVersion::Any)),
                    "no_stream" => Ok(Expected(ExpectedVersion::NoStream)),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_u64<E: serde::de::Error>(self, version: u64) -> Result<Expected, E> {
                // Version 0 is where a stream stands that does not exist.
                Ok(Expected(ExpectedVersion::Exact(StreamVersion(version))))
            }

            /// Numbers with a fraction or of more than 64 bits come as maps, too.
            fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<Expected, A::Error> {
                let found = serde::de::Unexpected::Other("an object, or a number that counts no events");
                Err(serde::de::Error::invalid_type(found, &self))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// An event for a follower; `id` is what it gives back when it comes again.
pub(in crate::http) fn sse_event(id: u64, event: &RecordedEvent) -> sse::Event {
    match sse::Event::default().id(id.to_string()).json_data(event) {
        Ok(event) => event,
        // Events of the log are JSON; one that is not any more must not end the stream for ever at this place.
        Err(error) => error_event(&internal(&error)).id(id.to_string()),
    }
}
