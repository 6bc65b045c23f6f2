//! How many builds a projection may have.

use super::{build::Build, state::State};
use crate::read_model::Identifier;

/// How many builds a projection may have at a time. Each has tables, and is kept up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildLimits {
    /// Builds that are not retired, verifications aside.
    pub max_builds: usize,
    /// Verifications that have not ended.
    pub max_verifications: usize,
}

impl Default for BuildLimits {
    fn default() -> Self {
        // A build that was replaced is kept for a day, so this is also how many deployments of one projection a day may have.
        Self { max_builds: 50, max_verifications: 10 }
    }
}

/// A projection has as many builds as it may have. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "projection `{projection}` has {found} {}, and may have {max} (--{}); {}",
    if *verifies { "verifications" } else { "builds that are not retired" },
    setting(*verifies),
    if *verifies {
        "wait for some of them and end them, or let them end: `gnomon verify` does so with its own"
    } else {
        "retire some that are not active, or keep replaced ones for a shorter time (--keep-replaced)"
    }
)]
pub struct TooManyBuilds {
    /// The projection.
    pub projection: Identifier,
    /// Whether it is verifications that are too many.
    pub verifies: bool,
    /// How many it has.
    pub found: usize,
    /// The limit.
    pub max: usize,
}

impl TooManyBuilds {
    /// The name of the setting.
    #[must_use]
    pub fn limit(&self) -> &'static str {
        setting(self.verifies)
    }
}

fn setting(verifies: bool) -> &'static str {
    if verifies { "max-verifications" } else { "max-builds" }
}

impl BuildLimits {
    /// Checks that a projection with these builds, of which some are going to be retired for it, may have another one.
    pub(super) fn check(
        self,
        projection: &Identifier,
        builds: &[Build],
        verifies: bool,
        goes: impl Fn(&Build) -> bool,
    ) -> Result<(), TooManyBuilds> {
        let max = if verifies { self.max_verifications } else { self.max_builds };
        let stays =
            |build: &&Build| build.state != State::Retired && build.verifies.is_some() == verifies && !goes(build);
        let found = builds.iter().filter(stays).count();
        if found < max {
            return Ok(());
        }
        Err(TooManyBuilds { projection: projection.clone(), verifies, found, max })
    }
}
