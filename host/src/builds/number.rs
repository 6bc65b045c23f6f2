//! What people call a build.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::postgres::sql_number;

/// The number of a build within its projection: 1, 2, 3 … in the order in which they were begun. It is never given again, also not
/// when a projection was deleted. Verifications are counted on their own; so are past builds, those of all projections together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BuildNumber(pub u64);

impl fmt::Display for BuildNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for BuildNumber {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<BuildNumber> for u64 {
    fn from(number: BuildNumber) -> Self {
        number.0
    }
}

sql_number!(BuildNumber(u64) as i64);

/// What people call a build of a projection: `build 4`; `verification 2`, if it was made to verify another one; or `past build 7`, if it shows the
/// past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuildName {
    /// A build for queries.
    Build(BuildNumber),
    /// A build that verifies another one.
    Verification(BuildNumber),
    /// A build that shows the read model at one position.
    Past(BuildNumber),
}

impl fmt::Display for BuildName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(number) => write!(f, "build {number}"),
            Self::Verification(number) => write!(f, "verification {number}"),
            Self::Past(number) => write!(f, "past build {number}"),
        }
    }
}
