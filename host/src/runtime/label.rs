//! What a module is called.

use serde::{Deserialize, Serialize};

use crate::read_model::Identifier;

/// A module's name and version, for logs and errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleLabel {
    /// The name.
    pub name: Identifier,
    /// 1, 2, 3 … with each upload that differs.
    pub version: u32,
}

impl std::fmt::Display for ModuleLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}
