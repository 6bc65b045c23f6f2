//! Events, as clients append and read them.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    expected_version::ExpectedVersion,
    page::{After, Direction},
};

/// An event to be appended.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Its id, which makes a repeated append safe; the host makes one where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the shape of `data`, from 1 on.
    #[serde(default = "first")]
    pub schema_version: u32,
    /// When it happened; when the log takes it in where this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Instant>,
    /// What happened, kept as it is written.
    pub data: Box<RawValue>,
    /// What else is to be known, kept as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

/// A line of an import: an event and its stream.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImportLine {
    /// The stream.
    pub stream: String,
    /// See [`NewEvent::id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// See [`NewEvent::event_type`].
    #[serde(rename = "type")]
    pub event_type: String,
    /// See [`NewEvent::schema_version`].
    #[serde(default = "first")]
    pub schema_version: u32,
    /// See [`NewEvent::time`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Instant>,
    /// See [`NewEvent::data`].
    pub data: Box<RawValue>,
    /// See [`NewEvent::metadata`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

fn first() -> u32 {
    1
}

/// The body of `POST /v1/streams/{stream}/events`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// Where the stream must be.
    #[serde(default)]
    pub expected_version: ExpectedVersion,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// The body of `POST /v1/events`: appends to several streams, all of them or none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AppendMany {
    /// The appends, each to another stream.
    pub appends: Vec<AppendTo>,
}

/// One append of [`AppendMany`].
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AppendTo {
    /// The stream.
    pub stream: String,
    /// Where it must be.
    #[serde(default)]
    pub expected_version: ExpectedVersion,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// Where appended events stand. The answer is 201, or 200 if they stood there before: the append was a repeat.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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

/// The answer to [`AppendMany`], in its order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AppendedMany {
    /// Where the events of each append stand.
    pub appends: Vec<Appended>,
}

/// The answer to an import. It is 201, or 200 if every event was in the log already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Imported {
    /// Events that were appended.
    pub imported: u64,
    /// Events that were in the log already, by their ids.
    pub repeated: u64,
    /// The position of the first event; null if there was none.
    pub first_position: Option<u64>,
    /// The position of the last event; null if there was none.
    pub last_position: Option<u64>,
}

/// An event of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    /// Its place in the log.
    pub position: u64,
    /// 0, 1, 2 … among the events into which upcasters split the one at `position`; not there unless they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// Its stream.
    pub stream: String,
    /// Its place in the stream.
    pub version: u64,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the shape of `data`.
    pub schema_version: u32,
    /// When it happened, as its writer says.
    pub time: Instant,
    /// When the log took it in.
    pub recorded_at: Instant,
    /// What happened, as it was written.
    pub data: Box<RawValue>,
    /// What else is to be known, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

/// The parameters of `GET /v1/events`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Where to begin.
    pub after: Option<After>,
    /// Events of a page, at most.
    pub limit: Option<u64>,
    /// In which order.
    #[serde(default)]
    pub direction: Direction,
    /// The types that are wanted, with commas between; a name with a comma or a quote stands in double quotes.
    pub types: Option<String>,
    /// The categories of streams that are wanted, written as `types` are.
    pub category: Option<String>,
    /// Whether to show what the active upcasters make of the events.
    #[serde(default)]
    pub upcast: bool,
}

/// A page of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EventsPage<E = Event> {
    /// The events.
    pub events: Vec<E>,
    /// What to give as `after` for the next page; null when there is nothing further back.
    pub next: Option<u64>,
    /// The position of the newest event.
    pub head: u64,
}
