//! Choosing the build of a request. A build that verifies another one is chosen only if the request names it.

use super::{
    build::{Build, BuildId},
    state::{BuildState, State, Work},
};
use crate::read_model::Identifier;

/// The build that is chosen if the request names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DefaultBuild {
    /// The active one, or the newest that has tables if none is active.
    ActiveOrNewest,
    /// The active one.
    Active,
    /// The newest that queries could turn to.
    ToActivate,
    /// The newest that was active before the active one, and that queries could turn back to.
    ToRollBackTo,
    /// The newest that can be compared with this one.
    ToCompareWith(BuildId),
}

/// Why no build is chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// The projection has no build of this number.
    #[error("projection `{projection}` has no build {build}; it has {}", list(builds))]
    NoBuild {
        /// The projection.
        projection: Identifier,
        /// The number.
        build: BuildId,
        /// The builds that it has.
        builds: Vec<BuildId>,
    },
    /// The request names no build, and none is suitable.
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

/// Numbers of builds, separated by commas.
pub(crate) fn list(builds: &[BuildId]) -> String {
    builds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Chooses a build: the named one, or else the default one. `builds` are those of the projection, newest first.
pub(crate) fn pick<'b>(
    projection: &Identifier,
    builds: &'b [Build],
    named: Option<BuildId>,
    default: DefaultBuild,
) -> Result<&'b Build, PickError> {
    if let Some(named) = named {
        return builds.iter().find(|build| build.id == named).ok_or_else(|| PickError::NoBuild {
            projection: projection.clone(),
            build: named,
            builds: builds.iter().map(|build| build.id).collect(),
        });
    }
    let usable = builds.iter().filter(|build| build.verifies.is_none() && build.state != State::Retired);
    let active = usable.clone().find(|build| build.state.is_active());
    let none_fits = |action, reason| PickError::NoneFits { projection: projection.clone(), action, reason };
    match default {
        DefaultBuild::Active => active.ok_or_else(|| none_fits("choose", "none is active yet; name one")),
        DefaultBuild::ActiveOrNewest => active
            .or_else(|| usable.clone().next())
            .ok_or_else(|| none_fits("choose", "all of them are retired; deploy or rebuild the projection")),
        DefaultBuild::ToActivate => usable
            .clone()
            .find(|build| !build.state.is_active() && build.state.is_readable())
            .ok_or_else(|| none_fits("activate", "none but the active one has caught up")),
        DefaultBuild::ToRollBackTo => usable
            .clone()
            .find(|build| {
                Some(build.id) < active.map(|active| active.id) && build.was_active && build.state.is_readable()
            })
            .ok_or_else(|| none_fits("roll back to", "no earlier one that was active is kept")),
        DefaultBuild::ToCompareWith(other) => {
            let is_failed = |state: State| state.kept().is_some_and(|kept| kept.work == Work::Failed);
            usable.clone().find(|build| build.id != other && !is_failed(build.state)).ok_or_else(|| {
                none_fits("compare with", "there is no other one; deploy another version of it, or rebuild it")
            })
        }
    }
}

impl Build {
    /// The one word that users see for its state.
    pub(crate) fn word(&self) -> BuildState {
        self.state.into()
    }
}
