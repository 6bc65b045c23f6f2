//! The name and version of a module.

use serde::{Deserialize, Serialize};

use crate::read_model::Identifier;

/// 1, 2, 3 … with each upload of a module that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModuleVersion(pub u32);

impl From<u32> for ModuleVersion {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<ModuleVersion> for u32 {
    fn from(version: ModuleVersion) -> Self {
        version.0
    }
}

impl std::fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A module's name and version, for logs and errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleLabel {
    /// The name.
    pub name: Identifier,
    /// The version; `None` while an upload is checked, before it is stored as a version.
    pub version: Option<ModuleVersion>,
}

impl std::fmt::Display for ModuleLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.version {
            Some(version) => write!(f, "`{}` version {version}", self.name),
            None => write!(f, "`{}` (not stored yet)", self.name),
        }
    }
}
