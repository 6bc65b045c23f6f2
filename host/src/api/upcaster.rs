//! Upcasters that are active.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{descriptor::UpcasterStep, operation::ReplacedBuild};

/// The answer of `GET /v1/upcasters`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Upcasters {
    /// The upcasters.
    pub upcasters: Vec<ActiveUpcaster>,
}

/// An upcaster that is active.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ActiveUpcaster {
    /// Its name.
    pub name: String,
    /// The version that is active.
    pub active_version: u32,
    /// The steps that it takes.
    pub steps: Vec<UpcasterStep>,
}

/// The parameters of `POST /v1/upcasters/{name}/activate`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivateUpcasterQuery {
    /// The version; the newest if this is left out.
    pub version: Option<u32>,
}

/// The answer to activating or deactivating an upcaster.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UpcasterChanged {
    /// The upcaster.
    pub name: String,
    /// The version that is active now; null if none is.
    #[schema(required)]
    pub active_version: Option<u32>,
    /// The builds of the projections that read its types, begun now, or when it became active.
    pub builds: Vec<NewBuild>,
}

/// A build that was begun because its version was deployed, or an upcaster was activated or deactivated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct NewBuild {
    /// The projection.
    pub projection: String,
    /// Its new build.
    pub build: u64,
    /// The active build, if the new one is of a version that was deployed, and is to replace it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ReplacedBuild>,
}
