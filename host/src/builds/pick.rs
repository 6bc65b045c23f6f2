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
    /// The newest that is newer than the active one, that queries could turn to now, and that is worked on; if none is newer, the
    /// active one.
    ToActivate,
    /// The newest that was active before the active one, if it is worked on.
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
    /// The projection has no past build of this number.
    #[error(
        "projection `{projection}` has no past build {past_build}: it was retired, or never begun; ask for its position again"
    )]
    NoPastBuild {
        /// The projection.
        projection: Identifier,
        /// The number.
        past_build: BuildNumber,
    },
    /// The request names no build, and none is suitable.
    #[error("projection `{projection}` has no build to {action}: {reason}")]
    NoneFits {
        /// The projection.
        projection: Identifier,
        /// What was to be done.
        action: &'static str,
        /// What would be needed.
        reason: String,
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
    let none_fits = |action, reason: &str| PickError::NoneFits {
        projection: projection.clone(),
        action,
        reason: reason.to_owned(),
    };
    match default {
        DefaultBuild::Active => active.ok_or_else(|| none_fits("choose", "none is active yet; name one")),
        DefaultBuild::ActiveOrNewest => active
            .or_else(|| usable.clone().next())
            .ok_or_else(|| none_fits("choose", "all of them are retired; deploy or rebuild the projection")),
        DefaultBuild::ToActivate => {
            let newer = usable.clone().filter(|build| active.is_none_or(|active| build.number > active.number));
            let fits = newer.clone().find(|build| build.state.is_readable() && build.state.is_running());
            match (fits, active, newer.clone().next()) {
                (Some(build), ..) | (None, Some(build), None) => Ok(build),
                (None, None, None) => {
                    Err(none_fits("activate", "all of them are retired; deploy or rebuild the projection"))
                }
                (None, _, Some(_)) => Err(none_fits("activate", &none_is_ready(newer, active))),
            }
        }
        DefaultBuild::ToRollBackTo => {
            let is_earlier = |build: &&Build| active.is_some_and(|active| build.number < active.number);
            let earlier = usable.clone().filter(is_earlier).find(|build| build.was_active && build.state.is_readable());
            match earlier {
                Some(build) if build.state.is_running() => Ok(build),
                Some(build) => Err(none_fits(
                    "roll back to",
                    &format!(
                        "{} was active before, and is {}: it would stand still. Let it continue, or activate it by its number",
                        build.name(),
                        build.word()
                    ),
                )),
                None => Err(none_fits(
                    "roll back to",
                    "no earlier one that was active is kept; any other is activated by its number",
                )),
            }
        }
        DefaultBuild::ToCompareWith(other) => {
            let is_failed = |state: State| state.kept().is_some_and(|kept| kept.work == Work::Failed);
            usable.clone().find(|build| build.id != other && !is_failed(build.state)).ok_or_else(|| {
                none_fits("compare with", "there is no other one; deploy another version of it, or rebuild it")
            })
        }
    }
}

/// Why none of the builds that are newer than the active one is activated without being named.
fn none_is_ready<'b>(newer: impl Iterator<Item = &'b Build>, active: Option<&Build>) -> String {
    let states: Vec<String> = newer.map(|build| format!("{} is {}", build.name(), build.word())).collect();
    let states = states.join(", ");
    match active {
        Some(active) => format!(
            "of those that are newer than the active {}, {states}; one that is replaying or stopped is activated by its number \
             only, and so is one that is older",
            active.name()
        ),
        None => format!("{states}; one that is replaying or stopped is activated by its number only"),
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

#[cfg(test)]
#[path = "pick_tests.rs"]
mod tests;
