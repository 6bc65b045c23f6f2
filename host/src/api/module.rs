//! Modules and their versions.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    descriptor::{Descriptor, ModuleKind, Sdk},
    operation::{Activation, ReplacedBuild},
    reactor::DeployedReactor,
    upcaster::NewBuild,
};

/// The parameters of `PUT /v1/modules/{name}`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UploadQuery {
    /// When the version becomes active.
    #[serde(default)]
    pub activate: Activation,
    /// Whether the upload deploys the version, or only stores it for a deployment.
    #[serde(default = "yes")]
    pub deploy: bool,
    /// Of a reactor that has not begun, the position of the first event that it gets; the next event that comes if this is left out.
    #[param(minimum = 1)]
    pub from: Option<u64>,
}

fn yes() -> bool {
    true
}

/// The answer to an upload. The status is 201, or 200 if the same bytes were uploaded before.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Uploaded {
    /// The module.
    pub name: String,
    /// The version of the bytes.
    pub version: u32,
    /// The SHA-256 of the bytes, in hex.
    pub digest: String,
    /// The kind of the module.
    pub kind: ModuleKind,
    /// What the module declares.
    pub descriptor: Descriptor,
    /// The build of the version, if it is one of a projection and was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u64>,
    /// The build that was active when the version was deployed, if the build of the version is to replace it, or has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ReplacedBuild>,
    /// The builds of the projections that read a type that goes into the upcaster or comes out of it, begun now or when it became
    /// active; left out if it is not active, and for projections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<Vec<NewBuild>>,
    /// What was done with the reactor, if it is one and was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reactor: Option<DeployedReactor>,
}

/// The answer of `GET /v1/modules`, by name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Modules {
    /// The modules.
    pub modules: Vec<Module>,
}

/// A module.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ModuleKind,
    /// The newest version.
    pub latest_version: u32,
    /// Every version, oldest first.
    pub versions: Vec<ModuleVersion>,
}

/// A version of a module, without what it declares, which may be long.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ModuleVersion {
    /// Its number: 1, 2, 3 …
    pub version: u32,
    /// The SHA-256 of its bytes, in hex.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    pub uploaded_at: Instant,
    /// What it was written with.
    pub sdk: Sdk,
}

/// The answer of `GET /v1/modules/{name}/versions/{version}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DescribedVersion {
    /// Its number: 1, 2, 3 …
    pub version: u32,
    /// The SHA-256 of its bytes, in hex.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    pub uploaded_at: Instant,
    /// What the module declares.
    pub descriptor: Descriptor,
}
