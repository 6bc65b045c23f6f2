//! Events, as clients append and read them.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    event_query::AppendCondition,
    expected_version::ExpectedVersion,
    objects::{objects, optional_object},
    page::{After, Direction},
};

/// An event to be appended.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Its id, which makes a repeated append safe; the host makes one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the shape of `data`, from 1 on.
    #[serde(default = "first")]
    pub schema_version: u32,
    /// When it happened; if this is left out, the time of the append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub time: Option<Instant>,
    /// Short texts, such as `course:c1`, by which event queries find it; a tag that is given twice counts once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What happened, kept as it is written.
    #[schema(value_type = Value)]
    pub data: Box<RawValue>,
    /// Further facts about the event, kept as they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub metadata: Option<Box<RawValue>>,
}

/// A line of an import: an event and its stream.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportLine {
    /// The stream. If it is left out, the event goes into the stream of its first tag, as in an append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// As in an append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// As in an append.
    #[serde(rename = "type")]
    pub event_type: String,
    /// As in an append.
    #[serde(default = "first")]
    pub schema_version: u32,
    /// As in an append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub time: Option<Instant>,
    /// As in an append.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// As in an append.
    #[schema(value_type = Value)]
    pub data: Box<RawValue>,
    /// As in an append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub metadata: Option<Box<RawValue>>,
    /// What an event has of the log that the line was exported from is passed over: the event gets its own here.
    #[serde(default, skip_serializing)]
    #[schema(value_type = Value)]
    pub position: IgnoredAny,
    /// Passed over, as `position` is.
    #[serde(default, skip_serializing)]
    #[schema(value_type = Value)]
    pub version: IgnoredAny,
    /// Passed over, as `position` is.
    #[serde(default, skip_serializing)]
    #[schema(value_type = Value)]
    pub recorded_at: IgnoredAny,
    /// An event as upcasters make it, which is not imported.
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub part: Option<IgnoredAny>,
}

fn first() -> u32 {
    1
}

/// The body of `POST /v1/streams/{stream}/events`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// The version that the stream must have.
    #[serde(default)]
    pub expected_version: ExpectedVersion,
    /// What must not be in the log.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub condition: Option<AppendCondition>,
    /// The events, in order.
    #[serde(deserialize_with = "objects")]
    pub events: Vec<NewEvent>,
}

/// The body of `POST /v1/events`: appends to several streams, all of them or none.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendMany {
    /// The appends, in order. Only the first one to a stream may expect a version.
    #[serde(deserialize_with = "objects")]
    pub appends: Vec<AppendTo>,
    /// What must not be in the log.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub condition: Option<AppendCondition>,
}

/// One append of several.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendTo {
    /// The stream. If it is left out, each event goes into the stream that its first tag names, with `-` for its first `:`:
    /// with the tag `course:c1`, into `course-c1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The version that the stream must have. Events without a stream expect none.
    #[serde(default)]
    pub expected_version: ExpectedVersion,
    /// The events, in order.
    #[serde(deserialize_with = "objects")]
    pub events: Vec<NewEvent>,
}

/// The versions and positions of appended events. The status is 201, or 200 if the append is a repeat and they were in the log
/// before.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Appended {
    /// The stream.
    pub stream: String,
    /// The version of the first event.
    pub first_version: u64,
    /// The version of the last event.
    pub last_version: u64,
    /// The position of the first event.
    pub first_position: u64,
    /// The position of the last event.
    pub last_position: u64,
}

/// The answer to several appends, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AppendedMany {
    /// The versions and positions of the events of each append; without a stream, of each run of events that go into one stream.
    pub appends: Vec<Appended>,
}

/// The answer to an import. The status is 201, or 200 if every event was in the log already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Imported {
    /// Events that were appended.
    pub imported: u64,
    /// Events that were in the log already, by their ids.
    pub repeated: u64,
    /// The position of the first event; null if there was none.
    #[schema(required)]
    pub first_position: Option<u64>,
    /// The position of the last event; null if there was none.
    #[schema(required)]
    pub last_position: Option<u64>,
}

/// An event of the log.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Event {
    /// Its position in the log.
    pub position: u64,
    /// 0, 1, 2 … among the events that upcasters make of the one at `position`; only with `upcast=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// Its stream.
    pub stream: String,
    /// Its version in the stream.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the shape of `data`.
    pub schema_version: u32,
    /// When it happened, according to its writer.
    #[schema(value_type = String, format = DateTime)]
    pub time: Instant,
    /// When it was appended.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Instant,
    /// Its tags, each once; left out if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What happened, as it was written.
    #[schema(value_type = Value)]
    pub data: Box<RawValue>,
    /// Further facts about the event, as they were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub metadata: Option<Box<RawValue>>,
}

/// The parameters of `GET /v1/events`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadEventsQuery {
    /// The page begins after this position.
    pub after: Option<After>,
    /// The most events that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
    /// The order.
    #[serde(default)]
    pub direction: Direction,
    /// Only events of these types, with commas between; a name with a comma or a quote stands in double quotes.
    pub types: Option<String>,
    /// Only events of streams of these categories, written as `types` are.
    pub category: Option<String>,
    /// Only events that have all of these tags, written as `types` are.
    pub tags: Option<String>,
    /// Whether to answer with the events that the active upcasters make of them.
    #[serde(default)]
    pub upcast: bool,
}

/// A page of the log.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EventsPage<E = Event> {
    /// The events.
    pub events: Vec<E>,
    /// The `after` of the next page: the position up to which was searched. Null if there are no older events.
    #[schema(required)]
    pub next: Option<u64>,
    /// The position of the newest event.
    pub head: u64,
}
