//! What became of an event.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    dead_letter::DeadLetter,
    event::Event,
    open_enum::open_enum,
    projection::{BuildState, ModuleFailure, PinnedUpcaster},
    row::Row,
};

/// The parameters of `GET /v1/events/{position}/explanation`.
#[derive(Clone, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// Only the builds of this projection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<String>,
    /// Whether the event is folded again, to show the rows that it changes.
    #[serde(default = "yes")]
    pub fold: bool,
}

fn yes() -> bool {
    true
}

/// What became of an event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Explanation {
    /// The event, as it is in the log.
    pub event: Event,
    /// The position of the newest event.
    pub head: u64,
    /// Each build and verification that is not retired, by projection, newest first.
    pub builds: Vec<ExplainedBuild>,
    /// How many more there are.
    pub more_builds: u64,
}

/// What became of an event in one build.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ExplainedBuild {
    /// The projection.
    pub projection: String,
    /// The build; null if it is a verification.
    #[schema(required)]
    pub build: Option<u64>,
    /// The verification; null if it is a build.
    #[schema(required)]
    pub verification: Option<u64>,
    /// The version of the projection.
    pub version: u32,
    /// Its state.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: u64,
    /// Where the event stands in it.
    pub status: EventStatus,
    /// Why the build does not want the event; null if it does.
    #[schema(required)]
    pub passed_over: Option<PassedOver>,
    /// The event as it is set aside; null if it is not.
    #[schema(required)]
    pub dead_letter: Option<DeadLetter>,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// What these make of the event; null if there are none, or if the build does not read it.
    #[schema(required)]
    pub upcasted: Option<UpcastedEvent>,
    /// What folding the event again gives; null if that was not done.
    #[schema(required)]
    pub fold: Option<Fold>,
    /// Why the event was not folded again; null if it was, or if the build does not want it or this was not asked for.
    #[schema(required)]
    pub not_folded: Option<String>,
}

open_enum! {
    /// Where an event stands in a build.
    EventStatus {
        /// The build does not want it.
        PassedOver "passed_over",
        /// Its effect is in the rows.
        Handled "handled",
        /// The build has not come to it.
        ToCome "to_come",
        /// The build has stopped at it.
        StoppedAt "stopped_at",
        /// It is set aside, since the module cannot handle it.
        SetAside "set_aside",
        /// It is set aside, since an earlier event of its stream is.
        Waits "waits",
    }
}

open_enum! {
    /// Why a build does not want an event.
    PassedOver {
        /// The projection reads no events of its type.
        Type "type",
        /// The projection reads no streams of its category.
        Category "category",
        /// It has none of the tags that the projection reads.
        Tags "tags",
        /// The upcasters make no event of it that the projection reads.
        Upcasters "upcasters",
    }
}

/// What the upcasters of a build make of an event.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UpcastedEvent {
    /// The events, in order; those of them that the projection does not read among them.
    pub events: Vec<Event>,
    /// How an upcaster fails at the event; null if none does.
    #[schema(required)]
    pub failure: Option<ModuleFailure>,
    /// How long they took for it.
    pub seconds: f64,
}

/// An event that was folded again, in an instance of its own.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Fold {
    /// What the rows before the event were made of.
    pub over: FoldedOver,
    /// The checkpoint of the committed rows; null unless `over` is `rows`.
    #[schema(required)]
    pub checkpoint: Option<u64>,
    /// How many events of the log were folded before it.
    pub events_before: u64,
    /// How long the module took for the event, with the reading of rows.
    pub seconds: f64,
    /// The rows that the event changes; none if its module fails.
    pub changes: Vec<RowChange>,
    /// How many more rows it changes.
    pub more_changes: u64,
    /// How the module fails at the event; null if it does not.
    #[schema(required)]
    pub failure: Option<ModuleFailure>,
}

open_enum! {
    /// What the rows before an event were made of.
    FoldedOver {
        /// The earlier events of its stream: the projection says that its rows depend on nothing else.
        Stream "stream",
        /// All earlier events that the build reads.
        Log "log",
        /// The rows that the build has now, and the events between its checkpoint and the event.
        Rows "rows",
    }
}

/// A row that an event changes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RowChange {
    /// The table.
    pub table: String,
    /// The row before the event; null if there was none.
    #[schema(required)]
    pub before: Option<Row>,
    /// The row after it; null if it is deleted.
    #[schema(required)]
    pub after: Option<Row>,
}
