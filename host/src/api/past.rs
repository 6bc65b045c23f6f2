//! The past of streams.

use std::collections::BTreeMap;

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    event::Event,
    explanation::{EventStatus, PassedOver},
    page::{After, Direction},
    projection::{ModuleFailure, PinnedUpcaster},
    row::Row,
};

/// The parameters of `GET /v1/streams/{stream}/state`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StreamStateQuery {
    /// The projection whose rows are wanted. It must be partitioned by stream.
    pub projection: String,
    /// The version of the projection that tells; that of the active build if there is none.
    #[param(minimum = 1)]
    pub version: Option<u32>,
    /// The version of the stream: the rows have the effect of the events up to it. 0 is before the first event.
    #[param(minimum = 0)]
    pub at_version: Option<u64>,
    /// An instant: the rows have the effect of the events that were recorded then or before.
    #[param(value_type = Option<String>, format = DateTime)]
    pub at_time: Option<String>,
}

/// The parameters of `GET /v1/streams/{stream}/history`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StreamHistoryQuery {
    /// The projection whose rows are wanted. It must be partitioned by stream.
    pub projection: String,
    /// The version of the projection that tells; that of the active build if there is none.
    #[param(minimum = 1)]
    pub version: Option<u32>,
    /// The page begins after this version of the stream.
    pub after: Option<After>,
    /// The most events that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
    /// The order.
    #[serde(default)]
    pub direction: Direction,
}

/// The parameters of `POST /v1/streams/{stream}/verify`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VerifyStreamQuery {
    /// The projection whose rows are compared. It must be partitioned by stream.
    pub projection: String,
    /// The version of the projection; that of the active build if there is none.
    #[param(minimum = 1)]
    pub version: Option<u32>,
}

/// The logic that made rows of events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Logic {
    /// The projection.
    pub projection: String,
    /// Its version.
    pub version: u32,
    /// The upcasters that the events went through first.
    pub upcasters: Vec<PinnedUpcaster>,
    /// The build of that version whose upcasters these are, and whose dead letters do not count; null if the version has none.
    #[schema(required)]
    pub build: Option<u64>,
}

/// The rows of a stream after one of its events.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StreamState {
    /// The stream.
    pub stream: String,
    /// The version of the last event that has its effect in the rows; 0 for none.
    pub version: u64,
    /// The position of that event; null if there is none.
    #[schema(required)]
    pub position: Option<u64>,
    /// When that event was recorded; null if there is none.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub recorded_at: Option<Instant>,
    /// The version of the stream's newest event.
    pub newest_version: u64,
    /// The logic that made the rows.
    pub logic: Logic,
    /// Events up to there that do not count, since they are set aside.
    pub events_left_out: u64,
    /// The version of the snapshot from which the events were folded; 0 for none.
    pub snapshot: u64,
    /// How many events were folded.
    pub events_folded: u64,
    /// The rows of each table, by key.
    pub tables: BTreeMap<String, Vec<Row>>,
}

/// A page of the history of a stream.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StreamHistory {
    /// The stream.
    pub stream: String,
    /// The version of its newest event.
    pub newest_version: u64,
    /// The logic that made the rows.
    pub logic: Logic,
    /// The version of the snapshot from which the events were folded; 0 for none.
    pub snapshot: u64,
    /// How many events were folded.
    pub events_folded: u64,
    /// The events, and what each of them changed.
    pub events: Vec<HistoryEvent>,
    /// The `after` of the next page; null if there are no older events.
    #[schema(required)]
    pub next: Option<u64>,
}

/// An event of a history.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HistoryEvent {
    /// The event, as it is in the log.
    pub event: Event,
    /// What became of it. `to_come` is an event behind one that the projection cannot handle.
    pub status: EventStatus,
    /// Why the projection does not want it; null if it does.
    #[schema(required)]
    pub passed_over: Option<PassedOver>,
    /// How the module fails at it; null if it does not.
    #[schema(required)]
    pub failure: Option<ModuleFailure>,
    /// The rows that it changed, by table and key.
    pub changes: Vec<RowEffect>,
    /// How many more rows it changed.
    pub more_changes: u64,
}

/// A row that an event changed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RowEffect {
    /// The table.
    pub table: String,
    /// The row before the event; null if there was none.
    #[schema(required)]
    pub before: Option<Row>,
    /// The row after it; null if it was deleted.
    #[schema(required)]
    pub after: Option<Row>,
    /// The columns with other values; all of them for a row that is new or deleted.
    pub columns: Vec<String>,
}

/// The result of checking a stream against its events.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StreamVerification {
    /// The stream.
    pub stream: String,
    /// The version of its newest event.
    pub newest_version: u64,
    /// The logic that made the rows.
    pub logic: Logic,
    /// Whether everything is what the events give.
    pub identical: bool,
    /// How many events were folded: all of them.
    pub events_folded: u64,
    /// Snapshots that were compared.
    pub snapshots: u64,
    /// The versions of the stream whose snapshots were wrong, and are removed.
    pub wrong_snapshots: Vec<u64>,
    /// The position up to which rows of the build were compared; null if the version has no build with tables.
    #[schema(required)]
    pub checkpoint: Option<u64>,
    /// Rows that were compared.
    pub rows: u64,
    /// How many of them differ.
    pub different_rows: u64,
    /// The first of those.
    pub differences: Vec<RowDifference>,
}

/// The parameters of `POST /v1/projections/{name}/snapshots/verify`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VerifySnapshotsQuery {
    /// The version of the projection; that of the active build if there is none.
    #[param(minimum = 1)]
    pub version: Option<u32>,
}

/// The result of checking snapshots of a projection against the events of their streams.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SnapshotsVerification {
    /// The logic whose snapshots they are.
    pub logic: Logic,
    /// Streams whose snapshots were checked, drawn at random.
    pub streams: u64,
    /// Snapshots that were compared.
    pub snapshots: u64,
    /// Those that were wrong, and are removed.
    pub wrong_snapshots: Vec<WrongSnapshot>,
    /// Whether these are all that there are.
    pub all: bool,
}

/// A snapshot that was not what the events give.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct WrongSnapshot {
    /// The stream.
    pub stream: String,
    /// The version of the stream.
    pub version: u64,
}

/// A row that is not what the events give.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RowDifference {
    /// The table.
    pub table: String,
    /// The row that the events give; null if they give none.
    #[schema(required)]
    pub expected: Option<Row>,
    /// The row that the build has; null if it has none.
    #[schema(required)]
    pub found: Option<Row>,
}
