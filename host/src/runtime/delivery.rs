//! An event on its way into a module.

use uuid::Uuid;

use crate::event_log::{Position, RecordedEvent, SchemaVersion};

/// An event as a module gets it: as recorded, or as upcasters made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the log.
    pub position: Position,
    /// Its place among the events that one event was split into.
    pub part: u32,
    /// Its stream.
    pub stream: String,
    /// Its place in the stream.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// JSON text.
    pub data: String,
    /// JSON text.
    pub metadata: Option<String>,
    /// Microseconds since 1970.
    pub time: i64,
    /// Microseconds since 1970.
    pub recorded_at: i64,
}

impl From<RecordedEvent> for Delivery {
    fn from(event: RecordedEvent) -> Self {
        Self {
            position: event.position,
            part: 0,
            stream: event.stream.into(),
            version: event.version.0,
            id: event.id,
            event_type: event.event_type.into(),
            schema_version: event.schema_version,
            data: event.data.into(),
            metadata: event.metadata.map(String::from),
            time: event.time.0,
            recorded_at: event.recorded_at.0,
        }
    }
}
