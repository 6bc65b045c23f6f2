//! The changes of a projection's builds.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};

/// The parameters of `GET /v1/projections/{name}/history`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// The entry to begin behind, in the direction of the past.
    pub after: Option<i64>,
    /// Entries of a page, at most.
    pub limit: Option<u64>,
}

/// A page of a projection's history, newest first.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct HistoryPage {
    /// The entries.
    pub history: Vec<HistoryEntry>,
    /// What to give as `after` for the next page; null if there is nothing older.
    pub next: Option<i64>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct HistoryEntry {
    /// 1, 2, 3 … over all projections, with gaps.
    pub entry: i64,
    /// When it was.
    pub at: Instant,
    /// The build that changed; null if it was the projection as a whole.
    pub build: Option<u64>,
    /// What changed: `begun`, `caught_up`, `activated`, `replaced`, `not_activated`, `paused`, `resumed`, `halted`, `failed`,
    /// `retried`, `retired`, `configured`, `deleted`.
    pub change: String,
    /// Why.
    pub cause: String,
}
