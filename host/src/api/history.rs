//! The changes of a projection's builds.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};

/// The parameters of `GET /v1/projections/{name}/history`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The page begins after this entry, with older ones.
    pub after: Option<i64>,
    /// The most entries that the page may have.
    pub limit: Option<u64>,
}

/// A page of a projection's history, newest first.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HistoryPage {
    /// The entries.
    pub history: Vec<HistoryEntry>,
    /// The `after` of the next page; null if there are no older entries.
    pub next: Option<i64>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HistoryEntry {
    /// Its number: 1, 2, 3 … over all projections, with gaps.
    pub entry: i64,
    /// When it was.
    pub at: Instant,
    /// The build that changed; null if the projection as a whole changed, or a verification.
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
