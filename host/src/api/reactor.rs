//! Reactors.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    dead_letter::DeadLetter,
    open_enum::open_enum,
    projection::{BuildError, OnFailure, PinnedUpcaster},
};

open_enum! {
    /// The state of a reactor.
    ReactorState {
        /// It follows the log.
        Running "running",
        /// An operator stopped it.
        Paused "paused",
        /// It stopped at an event that its module cannot handle.
        Halted "halted",
        /// It stopped for another reason, which a retry by the host cannot correct.
        Failed "failed",
    }
}

/// The answer of `GET /v1/reactors`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Reactors {
    /// The reactors.
    pub reactors: Vec<Reactor>,
}

/// A reactor.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct Reactor {
    /// Its name, that of its module.
    pub name: String,
    /// The version that works.
    pub version: u32,
    /// Its state.
    pub state: ReactorState,
    /// What happens at an event that its module cannot handle.
    pub on_failure: OnFailure,
    /// The position up to which it has handled every event.
    pub checkpoint: u64,
    /// The position of the newest event.
    pub head: u64,
    /// The positions from the checkpoint to the head.
    pub lag: u64,
    /// Positions of the log that it passed in a second, in the last seconds; 0 if it does not move.
    pub events_per_second: f64,
    /// Why it stopped; null if it did not.
    #[schema(required)]
    pub error: Option<BuildError>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// How many dead letters were handled after events that come later in the log.
    pub out_of_order: u64,
    /// How many schedules it has.
    pub schedules: u64,
    /// When the first of them is due; null if there is none.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub next_due_at: Option<Instant>,
    /// The position behind which it began.
    pub began_after: u64,
    /// The names of the tables of its own rows, those that earlier versions have left included.
    pub tables: Vec<String>,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// When it was deployed first.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When its version was activated.
    #[schema(value_type = String, format = DateTime)]
    pub activated_at: Instant,
}

/// The body of `PATCH /v1/reactors/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureReactor {
    /// What happens at an event that the module cannot handle.
    pub on_failure: OnFailure,
}

/// The parameters of `POST /v1/reactors/{name}/activate`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivateReactorQuery {
    /// The version; the newest if this is left out.
    pub version: Option<u32>,
    /// The position of the first event that the reactor gets, if it has not begun; the next event that comes if this is left out.
    #[param(minimum = 1)]
    pub from: Option<u64>,
}

/// The parameters of `POST /v1/reactors/{name}/retry`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RetryReactorQuery {
    /// Whether to retry also events whose streams have later events that were handled.
    #[serde(default)]
    pub out_of_order: bool,
}

/// The answer of `POST /v1/reactors/{name}/retry`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
pub struct RetriedReactor {
    /// Dead letters that stay set aside, since later events of their streams were handled.
    pub overtaken: u64,
    /// Dead letters that are tried after later events of other streams were handled.
    pub behind_others: u64,
    /// The reactor as it is now.
    pub reactor: Reactor,
}

/// The parameters of `GET /v1/reactors/{name}/dead-letters`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReactorDeadLettersQuery {
    /// The page begins after this position.
    pub after: Option<u64>,
    /// The most dead letters that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
}

/// A page of dead letters of a reactor, by position.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReactorDeadLettersPage {
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: u64,
    /// The `after` of the next page; null at the end.
    #[schema(required)]
    pub next: Option<u64>,
}

/// What a deployment has done with a reactor.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DeployedReactor {
    /// Its name.
    pub name: String,
    /// The version that works.
    pub version: u32,
    /// The position behind which it has begun with this deployment; left out if it had begun before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_after: Option<u64>,
    /// The version that worked before; left out if that is none, or the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_version: Option<u32>,
}
