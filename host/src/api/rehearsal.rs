//! Rehearsals of reactors.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{expected_version::ExpectedVersion, projection::ModuleFailure};

/// The parameters of `GET /v1/reactors/{name}/rehearsal`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RehearseQuery {
    /// The version; the newest if this is left out.
    pub version: Option<u32>,
    /// The position of the first event whose effects are shown.
    #[param(minimum = 1)]
    pub from: u64,
    /// The position of the last one.
    #[param(minimum = 1)]
    pub to: u64,
}

/// What a version of a reactor would have done, beside what the version does that works. Nothing was carried out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Rehearsal {
    /// The reactor.
    pub reactor: String,
    /// The version.
    pub version: u32,
    /// The version that works; null if the reactor has not begun.
    #[schema(required)]
    pub active_version: Option<u32>,
    /// The position behind which both begin.
    pub after: u64,
    /// The events that one of them answers, by position.
    pub events: Vec<RehearsedEvent>,
    /// Where and why the version stops; null if it does not.
    #[schema(required)]
    pub failure: Option<ModuleFailure>,
    /// The same of the version that works.
    #[schema(required)]
    pub active_failure: Option<ModuleFailure>,
    /// Events from the begin of the reactor on that the version cannot handle, and that are passed over: the reactor is told to skip or to park such events.
    pub set_aside: u64,
    /// The same of the version that works.
    pub active_set_aside: u64,
}

/// An event, and what it would have been answered with.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RehearsedEvent {
    /// Its position.
    pub position: u64,
    /// Its stream.
    pub stream: String,
    /// Its type, as the module gets it.
    pub event_type: String,
    /// Whether both versions answer the same.
    pub same: bool,
    /// What the version answers.
    pub effects: Vec<RehearsedEffect>,
    /// What the version answers that works.
    pub active_effects: Vec<RehearsedEffect>,
}

/// An effect of a reactor: its `kind`, and what effects of that kind have.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct RehearsedEffect {
    /// `append`, `publish`, `call`, `schedule` or `cancel`.
    pub kind: String,
    /// `append`: the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// `append`: the version that the stream must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<ExpectedVersion>,
    /// `append`: the events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EffectEvent>,
    /// `publish` and `call`: the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// `publish`: what the message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// `publish`: what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `call`, `schedule` and `cancel`: the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `schedule`: the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Instant>,
    /// `publish`, `call` and `schedule`: what it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub data: Option<Box<RawValue>>,
}

/// An event that a reactor would append.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EffectEvent {
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The version of the shape of `data`.
    pub schema_version: u32,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What happened.
    #[schema(value_type = Value)]
    pub data: Box<RawValue>,
    /// Further facts about the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub metadata: Option<Box<RawValue>>,
}
