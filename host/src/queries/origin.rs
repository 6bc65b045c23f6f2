//! Where the rows of an answer come from.

use crate::{builds::BuildNumber, modules::ModuleVersion};

/// Where the rows of an answer come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The build that has them.
    pub build: Option<BuildNumber>,
    /// The version of the projection that made them.
    pub version: ModuleVersion,
}
