//! Which build a request means. A build that verifies another is never meant unless it is named.

use super::{
    build::{Build, BuildId},
    state::{BuildState, State, Work},
};
use crate::read_model::Identifier;

/// Which build is meant where none is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    /// The active one, or the newest that has tables where none is active.
    ActiveOrNewest,
    /// The active one.
    Active,
    /// The newest that queries could turn to.
    ToActivate,
    /// The newest before the active one that queries could turn back to.
    ToRollBackTo,
    /// The newest that can be compared with this one.
    ToCompareWith(BuildId),
}

/// Why no build is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// The projection has no build of this number.
    #[error("projection `{projection}` has no build {build}; it has {}", list(builds))]
    NoBuild {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
        /// The builds that it has.
        builds: Vec<BuildId>,
    },
    /// No build fits.
    #[error("projection `{projection}` has no build to {action}: {reason}")]
    NoneFits {
        /// The projection.
        projection: Identifier,
        /// What was to be done.
        action: &'static str,
        /// What would be needed.
        reason: &'static str,
    },
}

/// Numbers of builds, in words.
pub(crate) fn list(builds: &[BuildId]) -> String {
    builds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The build that is meant, among those of a projection, newest first.
pub(crate) fn pick<'b>(
    projection: &Identifier,
    builds: &'b [Build],
    named: Option<BuildId>,
    meant: Meant,
) -> Result<&'b Build, PickError> {
    if let Some(named) = named {
        return builds.iter().find(|build| build.id == named).ok_or_else(|| PickError::NoBuild {
            projection: projection.clone(),
            build: named,
            builds: builds.iter().map(|build| build.id).collect(),
        });
    }
    let of_use = builds.iter().filter(|build| build.verifies.is_none() && build.state != State::Retired);
    let active = of_use.clone().find(|build| build.state.is_active());
    let none_fits = |action, reason| PickError::NoneFits { projection: projection.clone(), action, reason };
    match meant {
        Meant::Active => active.ok_or_else(|| none_fits("choose", "none is active yet; name one")),
        Meant::ActiveOrNewest => active
            .or_else(|| of_use.clone().next())
            .ok_or_else(|| none_fits("choose", "all of them are retired; deploy or rebuild the projection")),
        Meant::ToActivate => of_use
            .clone()
            .find(|build| !build.state.is_active() && build.state.is_readable())
            .ok_or_else(|| none_fits("activate", "none but the active one has caught up")),
        Meant::ToRollBackTo => of_use
            .clone()
            .find(|build| {
                Some(build.id) < active.map(|active| active.id) && build.was_active && build.state.is_readable()
            })
            .ok_or_else(|| none_fits("roll back to", "no earlier one that was active is kept")),
        Meant::ToCompareWith(other) => {
            let is_failed = |state: State| state.kept().is_some_and(|kept| kept.work == Work::Failed);
            of_use.clone().find(|build| build.id != other && !is_failed(build.state)).ok_or_else(|| {
                none_fits("compare with", "there is no other one; deploy another version of it, or rebuild it")
            })
        }
    }
}

impl Build {
    /// Its state, in one word.
    pub(crate) fn word(&self) -> BuildState {
        self.state.into()
    }
}
