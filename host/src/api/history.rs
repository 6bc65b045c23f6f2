//! The changes of projections and their builds, of reactors, and of sinks.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The parameters of `GET /v1/projections/{name}/history`, and of the same of reactors and sinks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The page begins after this entry, with older ones.
    pub after: Option<i64>,
    /// The most entries that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
}

/// A page of a projection's history, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HistoryPage {
    /// The entries.
    pub history: Vec<HistoryEntry>,
    /// The `after` of the next page; null if there are no older entries.
    #[schema(required)]
    pub next: Option<i64>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Its number: 1, 2, 3 … over all projections, reactors and sinks, with gaps.
    pub entry: i64,
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The build that changed; null if the projection as a whole changed, or a verification.
    #[schema(required)]
    pub build: Option<u64>,
    /// The verification that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<u64>,
    /// What changed: `begun`, `caught_up`, `activated`, `replaced`, `not_activated`, `paused`, `resumed`, `halted`, `failed`,
    /// `retried`, `retired`, `configured`, `deleted`.
    pub change: String,
    /// Why.
    pub cause: String,
    /// Who asked for it, such as `token ci`; left out if the host did it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request, under which the log has more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A page of a reactor's history, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReactorHistoryPage {
    /// The entries.
    pub history: Vec<ReactorHistoryEntry>,
    /// The `after` of the next page; null if there are no older entries.
    #[schema(required)]
    pub next: Option<i64>,
}

/// A change of a reactor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReactorHistoryEntry {
    /// Its number: 1, 2, 3 … over all projections, reactors and sinks, with gaps.
    pub entry: i64,
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The version that works then, or that was uploaded.
    pub version: u32,
    /// What changed: `uploaded`, `begun`, `activated`, `upcasters_changed`, `paused`, `resumed`, `halted`, `failed`, `retried`, `configured`,
    /// `deleted`.
    pub change: String,
    /// Why.
    pub cause: String,
    /// Who asked for it, such as `token ci`; left out if the host did it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request, under which the log has more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A page of a sink's history, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SinkHistoryPage {
    /// The entries.
    pub history: Vec<SinkHistoryEntry>,
    /// The `after` of the next page; null if there are no older entries.
    #[schema(required)]
    pub next: Option<i64>,
}

/// A change of a sink, or of one of its messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct SinkHistoryEntry {
    /// Its number: 1, 2, 3 … over all projections, reactors and sinks, with gaps.
    pub entry: i64,
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The message that was sent again or dropped; left out if it is about the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Uuid>,
    /// What changed: `made`, `changed`, `removed`, `retried`, `message_retried`, `message_dropped`.
    pub change: String,
    /// Why, and what it is now.
    pub cause: String,
    /// Who asked for it, such as `token ci`; left out if the host did it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request, under which the log has more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
