//! Modules and their versions.

use gnomon_values::Instant;
use serde::{Deserialize, Serialize};

use super::{
    descriptor::{Descriptor, ModuleKind},
    operation::Activation,
    upcaster::NewBuild,
};

/// The parameters of `PUT /v1/modules/{name}`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UploadQuery {
    /// When the version is put to work.
    #[serde(default)]
    pub activate: Activation,
}

/// The answer to an upload. It is 201, or 200 if the same bytes were there before.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Uploaded {
    /// The module.
    pub name: String,
    /// The version that the bytes are.
    pub version: u32,
    /// The SHA-256 of the bytes, in hex.
    pub digest: String,
    /// The kind of the module.
    pub kind: ModuleKind,
    /// What the module says of itself.
    pub descriptor: Descriptor,
    /// The build of the version, if it is one of a projection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u64>,
    /// The builds that were begun because an upcaster was activated; not there if it was not, or if it is a projection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<Vec<NewBuild>>,
}

/// The answer of `GET /v1/modules`, by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Modules {
    /// The modules.
    pub modules: Vec<Module>,
}

/// A module.
#[derive(Clone, Debug, Deserialize, Serialize)]
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

/// A version of a module.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ModuleVersion {
    /// Its number: 1, 2, 3 …
    pub version: u32,
    /// The SHA-256 of its bytes, in hex.
    pub digest: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// When it was uploaded.
    pub uploaded_at: Instant,
    /// What the module says of itself.
    pub descriptor: Descriptor,
}
