//! The changes of a projection's builds.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The parameters of `GET /v1/projections/{name}/history`.
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
    /// Its number: 1, 2, 3 … over all projections, with gaps.
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
}
