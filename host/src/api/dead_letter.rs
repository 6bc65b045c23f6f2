//! Events that builds have set aside.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::projection::ModuleFailure;

/// The parameters of `GET /v1/projections/{name}/dead-letters`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DeadLettersQuery {
    /// The build; if this is left out the active one, or the newest if none is active.
    pub build: Option<u64>,
    /// The page begins after this position.
    pub after: Option<u64>,
    /// The most dead letters that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
}

/// A page of dead letters, by position.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DeadLettersPage {
    /// The build.
    pub build: u64,
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: u64,
    /// The `after` of the next page; null at the end.
    #[schema(required)]
    pub next: Option<u64>,
}

/// An event that is set aside.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The event's position.
    pub position: u64,
    /// Its stream.
    pub stream: String,
    /// Its type.
    pub event_type: String,
    /// Whether later events of its stream are set aside as well.
    pub parked: bool,
    /// What the module did; null if the event is set aside because of an earlier one of its stream.
    #[schema(required)]
    pub error: Option<ModuleFailure>,
    /// When it was set aside.
    #[schema(value_type = String, format = DateTime)]
    pub set_aside_at: Instant,
}
