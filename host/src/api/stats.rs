//! Statistics of the log and of builds.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{projection::BuildState, stream::Stream};

/// Types, categories and streams that are listed, of each, if the client does not say how many.
pub const DEFAULT_STATS_LIMIT: usize = 10;
/// Days, likewise.
pub const DEFAULT_STATS_DAYS: usize = 30;
/// The most types, categories and streams, of each.
pub const MAX_STATS_LIMIT: usize = 1000;
/// The most days.
pub const MAX_STATS_DAYS: usize = 4000;

/// The parameters of `GET /v1/stats`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatsQuery {
    /// How many types, categories and streams are listed, of each; 10 if it is left out.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u64>,
    /// How many days are listed; 30 if it is left out.
    #[param(minimum = 1, maximum = 4000)]
    pub days: Option<u64>,
}

/// What the log consists of, and what it takes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Stats {
    /// The position up to which every event is counted. All counts are exact there.
    pub position: u64,
    /// The position of the newest event. It is the same, unless so much was appended that hosts have not counted all of it yet.
    pub head: u64,
    /// How many events there are.
    pub events: u64,
    /// The bytes of their data and metadata, as their writers wrote them.
    pub bytes: u64,
    /// Streams.
    pub streams: StreamStats,
    /// Types of events.
    pub types: TypeStats,
    /// Categories of streams.
    pub categories: CategoryStats,
    /// The newest days, in UTC, on which events were appended, oldest first. Days without events are left out.
    pub days: Vec<DayStats>,
    /// What was measured a short while ago; null until it was measured for the first time, or if Postgres does not answer.
    #[schema(required)]
    pub measured: Option<Measured>,
}

/// Streams.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct StreamStats {
    /// How many there are.
    pub count: u64,
    /// Those with the most events, which is their version, most first.
    pub longest: Vec<Stream>,
}

/// Types of events.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct TypeStats {
    /// How many there are.
    pub count: u64,
    /// Those with the most events, most first.
    pub most: Vec<TypeCounts>,
    /// The events of all others.
    pub others: OtherCounts,
}

/// The events of a type.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct TypeCounts {
    /// The type.
    pub r#type: String,
    /// How many events it has.
    pub events: u64,
    /// The bytes of their data and metadata.
    pub bytes: u64,
}

/// Categories of streams.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct CategoryStats {
    /// How many there are.
    pub count: u64,
    /// Those with the most events, most first.
    pub most: Vec<CategoryCounts>,
    /// The events of all others.
    pub others: OtherCounts,
}

/// The events of a category.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct CategoryCounts {
    /// The category; empty for streams whose names begin with `-`.
    pub category: String,
    /// How many streams it has.
    pub streams: u64,
    /// How many events they have.
    pub events: u64,
    /// The bytes of their data and metadata.
    pub bytes: u64,
}

/// The events of what is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct OtherCounts {
    /// How many names are not listed.
    pub count: u64,
    /// How many events they have.
    pub events: u64,
    /// The bytes of their data and metadata.
    pub bytes: u64,
}

/// The events that were appended on a day, whatever their `time` is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct DayStats {
    /// The day in UTC.
    #[schema(format = Date)]
    pub day: String,
    /// How many streams began.
    pub streams: u64,
    /// How many events were appended.
    pub events: u64,
    /// The bytes of their data and metadata.
    pub bytes: u64,
}

/// What is measured now and then, since Postgres asks the system for each file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Measured {
    /// When, by the host's clock.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// The bytes of the log in Postgres, with its indexes.
    pub log_bytes: u64,
    /// Events that were appended in the hour before.
    pub events_in_an_hour: u64,
    /// In the 24 hours before.
    pub events_in_a_day: u64,
    /// In the seven days before.
    pub events_in_a_week: u64,
    /// Builds that are not retired, at most 1,000.
    pub builds: Vec<BuildSize>,
}

/// A build and what it takes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct BuildSize {
    /// The projection.
    pub projection: String,
    /// Its number; null if it verifies another one.
    #[schema(required)]
    pub build: Option<u64>,
    /// The number of the verification, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<u64>,
    /// The version of the projection.
    pub version: u32,
    /// Its state.
    pub state: BuildState,
    /// The bytes of its tables in Postgres, with their indexes.
    pub bytes: u64,
}
