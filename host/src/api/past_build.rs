//! Past builds: what a read model was at a position.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::projection::{BuildError, BuildState, PinnedUpcaster};

/// The parameters of a query on the past of a read model.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PastQuery {
    /// Answer from the past: as of this position, or as of this instant (RFC 3339). With a point, and without a digit at its beginning, it is a
    /// filter on a column `as_of`.
    pub as_of: Option<String>,
    /// The version of the projection that shows the past; that of the active build if this is left out. Needs `as_of`. With a point, it is a filter
    /// on a column `version`.
    pub version: Option<String>,
}

/// The answer of `GET /v1/projections/{name}/past-builds`, newest first.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PastBuilds {
    /// The past builds.
    pub past_builds: Vec<PastBuild>,
}

/// A past build: it holds the rows that a version gives for the events up to a position. It is made when somebody asks for the position, and kept
/// for a while.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct PastBuild {
    /// Its number, unique in the database.
    pub past_build: u64,
    /// The projection.
    pub projection: String,
    /// The version of the projection that makes its rows.
    pub version: u32,
    /// The upcasters that its events go through: those of the newest build of that version.
    pub upcasters: Vec<PinnedUpcaster>,
    /// The position that it shows.
    pub position: u64,
    /// `replaying` while it is made, then `finished`; `halted` or `failed` if it stopped before.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: u64,
    /// Events of the log that it has recently read per second; 0 if it does not move.
    pub events_per_second: f64,
    /// Seconds until it is finished at that rate; null if it is, or if it does not move.
    #[schema(required)]
    pub seconds_left: Option<f64>,
    /// Why it stopped, if it did.
    #[schema(required)]
    pub error: Option<BuildError>,
    /// What it waits for that another session of Postgres holds, in words; null if it does not.
    #[schema(required)]
    pub waits_for: Option<String>,
    /// Events that it has set aside.
    pub dead_letters: u64,
    /// The bytes of its tables and indexes.
    pub bytes: u64,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When somebody asked for it last, up to ten seconds earlier than that.
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: Instant,
}
