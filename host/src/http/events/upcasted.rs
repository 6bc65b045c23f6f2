//! Events as upcasters make them, for readers.

use gnomon_values::Instant;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    event_log::{Position, SchemaVersion},
    http::{errors::internal, problem::Problem},
    runtime::Delivery,
};

/// An event as a projection would see it.
#[derive(Serialize)]
pub(super) struct UpcastedEvent {
    position: Position,
    /// 0, 1, 2 … among the events into which the one at `position` was split.
    part: u32,
    stream: String,
    version: u64,
    id: Uuid,
    #[serde(rename = "type")]
    event_type: String,
    schema_version: SchemaVersion,
    time: Instant,
    recorded_at: Instant,
    data: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

impl TryFrom<Delivery> for UpcastedEvent {
    type Error = Problem;

    fn try_from(event: Delivery) -> Result<Self, Problem> {
        // None of this fails: texts were checked to be JSON.
        let json = |text| RawValue::from_string(text).map_err(|error| internal(&error));
        Ok(Self {
            position: event.position,
            part: event.part,
            stream: event.stream,
            version: event.version,
            id: event.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            time: Instant(event.time),
            recorded_at: Instant(event.recorded_at),
            data: json(event.data)?,
            metadata: event.metadata.map(json).transpose()?,
        })
    }
}
