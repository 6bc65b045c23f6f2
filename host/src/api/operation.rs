//! What operators do with the builds of a projection.

use serde::{Deserialize, Deserializer, Serialize};

use super::{parts::Parts, projection::Projection};

/// When a version or a build is put to work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// By itself: a projection's build when it has caught up, an upcaster at once.
    #[default]
    Auto,
    /// When an operator says so.
    Manual,
}

/// The parameters of the operations that need no more than a build.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BuildQuery {
    /// The build that is meant; which one it is without this, depends on the operation.
    pub build: Option<u64>,
}

/// The parameters of `POST /v1/projections/{name}/rebuild`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RebuildQuery {
    /// The version to build; the newest if this is left out.
    pub version: Option<u32>,
    /// When queries turn to the new build.
    #[serde(default)]
    pub activate: Activation,
}

/// The parameters of `POST /v1/projections/{name}/retry`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RetryQuery {
    /// The build that is meant: the active one if this is left out, or the newest.
    pub build: Option<u64>,
    /// Whether to try again also the events of which later ones of their streams were folded.
    #[serde(default)]
    pub out_of_order: bool,
}

/// The build that something was done with, and the projection as it is now. 202 says that it is yet to happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operated {
    /// The build.
    pub build: u64,
    /// The projection, whose members stand beside `build`.
    #[serde(flatten)]
    pub projection: Projection,
}

/// The answer of `POST /v1/projections/{name}/retry`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retried {
    /// Dead letters that stay set aside, as later events of their streams were folded.
    pub overtaken: u64,
    /// Dead letters that come behind later events of other streams now.
    pub behind_others: u64,
    /// The rest, whose members stand beside these.
    #[serde(flatten)]
    pub operated: Operated,
}

impl<'de> Deserialize<'de> for Operated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Own {
            build: u64,
        }

        let parts = Parts::read(deserializer)?;
        let Own { build } = parts.part()?;
        Ok(Self { build, projection: parts.part()? })
    }
}

impl<'de> Deserialize<'de> for Retried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Own {
            overtaken: u64,
            behind_others: u64,
        }

        let parts = Parts::read(deserializer)?;
        let Own { overtaken, behind_others } = parts.part()?;
        Ok(Self { overtaken, behind_others, operated: parts.part()? })
    }
}
