//! An event as it is delivered to a module.

use bytestring::ByteString;
use gnomon_values::Instant;
use uuid::Uuid;

use crate::event_log::{Position, RecordedEvent, SchemaVersion, StreamVersion};

/// An event as a module receives it: as recorded, or as upcasters rewrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The position in the log of the event that was recorded.
    pub position: Position,
    /// 0, 1, 2 … among the events into which upcasters split the recorded one.
    pub part: u32,
    /// Its stream.
    pub stream: ByteString,
    /// The version in its stream of the event that was recorded.
    pub version: StreamVersion,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub event_type: ByteString,
    /// The version of the shape of `data`.
    pub schema_version: SchemaVersion,
    /// JSON text.
    pub data: ByteString,
    /// JSON text.
    pub metadata: Option<ByteString>,
    /// When it happened, as its writer says.
    pub time: Instant,
    /// When it was appended.
    pub recorded_at: Instant,
    /// By which it is found across streams; each once.
    pub tags: Vec<ByteString>,
}

impl From<RecordedEvent> for Delivery {
    fn from(event: RecordedEvent) -> Self {
        Self {
            position: event.position,
            part: 0,
            stream: event.stream.into(),
            version: event.version,
            id: event.id,
            event_type: event.event_type.into(),
            schema_version: event.schema_version,
            data: event.data.into(),
            metadata: event.metadata.map(ByteString::from),
            time: event.time,
            recorded_at: event.recorded_at,
            tags: event.tags.into_iter().map(ByteString::from).collect(),
        }
    }
}
