//! Operations on the builds of a projection.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::{IntoParams, ToSchema};

use super::{projection::Projection, raw_object::RawObject};

/// When a version or a build becomes active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// By itself: a projection's build when it has caught up, an upcaster at once.
    #[default]
    Auto,
    /// When an operator activates it.
    Manual,
}

/// Reads a text first: of anything else, serde_json would say that the JSON is malformed.
impl<'de> Deserialize<'de> for Activation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "auto" => Ok(Self::Auto),
            "manual" => Ok(Self::Manual),
            other => Err(D::Error::unknown_variant(other, &["auto", "manual"])),
        }
    }
}

/// The parameters of the operations that need no more than a build.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BuildQuery {
    /// The build. If this is left out, the operation decides which one it is.
    pub build: Option<u64>,
}

/// The parameters of `POST /v1/projections/{name}/rebuild`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RebuildQuery {
    /// The version to build; the newest if this is left out.
    pub version: Option<u32>,
    /// When queries turn to the new build.
    #[serde(default)]
    pub activate: Activation,
}

/// The parameters of `POST /v1/projections/{name}/retry`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RetryQuery {
    /// The build; if this is left out the active one, or the newest if none is active.
    pub build: Option<u64>,
    /// Whether to retry also events whose streams have later events that were folded.
    #[serde(default)]
    pub out_of_order: bool,
}

/// The build of an operation, and the projection as it is now. Status 202 says that the operation takes effect later.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Operated {
    /// The build.
    pub build: u64,
    /// The projection, whose members stand beside `build`.
    #[serde(flatten)]
    pub projection: Projection,
}

/// A build that another one replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ReplacedBuild {
    /// Its number.
    pub build: u64,
    /// The version that it materialises.
    pub version: u32,
}

/// The answer of `POST /v1/projections/{name}/activate` and `rollback`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Activated {
    /// The build that was active before; null if none was, if nothing has changed, or if the build has to catch up first.
    #[schema(required)]
    pub replaced: Option<ReplacedBuild>,
    /// Whether the build was the active one already, so that nothing has changed.
    pub already_active: bool,
    /// The position at which the build stands still, if it is paused, halted or failed.
    #[schema(required)]
    pub stands_still_at: Option<u64>,
    /// The rest, whose members stand beside these.
    #[serde(flatten)]
    pub operated: Operated,
}

/// The answer of `POST /v1/projections/{name}/retry`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Retried {
    /// Dead letters that stay set aside, because later events of their streams were folded.
    pub overtaken: u64,
    /// Dead letters that are folded after later events of other streams.
    pub behind_others: u64,
    /// The rest, whose members stand beside these.
    #[serde(flatten)]
    pub operated: Operated,
}

/// The answer of `POST /v1/projections/{name}/verify`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct VerificationBegun {
    /// The number of the verification.
    pub verification: u64,
    /// The build that is verified, and the projection, whose members stand beside it.
    #[serde(flatten)]
    pub operated: Operated,
}

impl<'de> Deserialize<'de> for Operated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            build: u64,
        }

        let object = RawObject::read(deserializer)?;
        let Members { build } = object.members()?;
        Ok(Self { build, projection: object.members()? })
    }
}

impl<'de> Deserialize<'de> for Activated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            replaced: Option<ReplacedBuild>,
            already_active: bool,
            stands_still_at: Option<u64>,
        }

        let object = RawObject::read(deserializer)?;
        let Members { replaced, already_active, stands_still_at } = object.members()?;
        Ok(Self { replaced, already_active, stands_still_at, operated: object.members()? })
    }
}

impl<'de> Deserialize<'de> for VerificationBegun {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            verification: u64,
        }

        let object = RawObject::read(deserializer)?;
        let Members { verification } = object.members()?;
        Ok(Self { verification, operated: object.members()? })
    }
}

impl<'de> Deserialize<'de> for Retried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            overtaken: u64,
            behind_others: u64,
        }

        let object = RawObject::read(deserializer)?;
        let Members { overtaken, behind_others } = object.members()?;
        Ok(Self { overtaken, behind_others, operated: object.members()? })
    }
}
