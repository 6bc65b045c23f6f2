//! Deployments of several modules as one change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{descriptor::ModuleKind, operation::Activation, reactor::DeployedReactor, upcaster::NewBuild};

/// The body of `POST /v1/deployments`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeployment {
    /// The versions to deploy, each of another module.
    pub modules: Vec<VersionToDeploy>,
    /// When queries turn to the builds.
    #[serde(default)]
    pub activate: Activation,
}

/// A version of a module that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionToDeploy {
    /// The module.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// The answer of `POST /v1/deployments`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Deployment {
    /// The modules, by name.
    pub modules: Vec<DeployedModule>,
    /// A build for each projection that is concerned, by name: begun now, or before by the same deployment.
    pub builds: Vec<NewBuild>,
    /// The reactors that were deployed, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactors: Vec<DeployedReactor>,
}

/// A module that was deployed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DeployedModule {
    /// Its name.
    pub name: String,
    /// The version.
    pub version: u32,
    /// Its kind.
    pub kind: ModuleKind,
}
