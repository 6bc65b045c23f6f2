//! Choosing the build of a request. It is never one that verifies another: those have numbers of their own.

use super::{
    build::{Build, BuildId},
    number::{BuildName, BuildNumber},
    state::{State, Work},
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
    #[error("projection `{projection}` has no build {build}; it has {}", numbers(builds))]
    NoBuild {
        /// The projection.
        projection: Identifier,
        /// The number.
        build: BuildNumber,
        /// The builds that it has and that are not retired, newest first.
        builds: Vec<BuildNumber>,
    },
    /// The projection has no verification of this number.
    #[error("projection `{projection}` has no verification {verification}; begin one with `verify`")]
    NoVerification {
        /// The projection.
        projection: Identifier,
        /// The number.
        verification: BuildNumber,
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

/// Names of builds, separated by commas.
pub(crate) fn list(builds: &[BuildName]) -> String {
    builds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Numbers of builds, separated by commas.
fn numbers(builds: &[BuildNumber]) -> String {
    match builds {
        [] => "none that is not retired".to_owned(),
        builds => builds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Chooses a build: the named one, or else the default one. `builds` are those of the projection, newest first.
pub(crate) fn pick<'b>(
    projection: &Identifier,
    builds: &'b [Build],
    named: Option<BuildNumber>,
    default: DefaultBuild,
) -> Result<&'b Build, PickError> {
    let of_queries = builds.iter().filter(|build| build.verifies.is_none());
    let usable = of_queries.clone().filter(|build| build.state != State::Retired);
    if let Some(named) = named {
        return of_queries.clone().find(|build| build.number == named).ok_or_else(|| PickError::NoBuild {
            projection: projection.clone(),
            build: named,
            builds: usable.map(|build| build.number).collect(),
        });
    }
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

/// The build of a verification. `builds` are those of the projection.
pub(crate) fn find_verification<'b>(
    projection: &Identifier,
    builds: &'b [Build],
    verification: BuildNumber,
) -> Result<&'b Build, PickError> {
    let is_it = |build: &&Build| build.name() == BuildName::Verification(verification);
    builds.iter().find(is_it).ok_or_else(|| PickError::NoVerification { projection: projection.clone(), verification })
}
