//! Why a read model has nothing to read, or does not go on: what its builds are doing. Looked up only when a query has failed.

use super::Queries;
use crate::{
    builds::{BuildError, BuildState, BuildSummary, ProjectionSummary, RetiredBuilds, summaries},
    read_model::Identifier,
};

impl Queries {
    /// Why no build of a projection is active.
    pub(super) async fn why_not_ready(&self, projection: &Identifier) -> Result<String, sqlx::Error> {
        let found = summaries(&self.pool, Some(projection), RetiredBuilds::Hidden).await?.pop();
        Ok(found.as_ref().map_or_else(|| "it was deleted".to_owned(), why_not_ready))
    }

    /// Why the active build of a projection stands still, if it does.
    pub(super) async fn why_it_stands_still(&self, projection: &Identifier) -> Result<Option<String>, sqlx::Error> {
        let found = summaries(&self.pool, Some(projection), RetiredBuilds::Hidden).await?.pop();
        let Some(projection) = found else { return Ok(None) };
        let active = projection.builds.iter().find(|build| Some(build.build) == projection.active_build);
        Ok(active.and_then(stopped).map(|stopped| format!("{stopped}; queries read that build")))
    }
}

fn why_not_ready(projection: &ProjectionSummary) -> String {
    // One that is on its way says more than a newer one that is not.
    let moves = |build: &&BuildSummary| matches!(build.state, BuildState::Replaying | BuildState::Live);
    let build = projection.builds.iter().find(moves).or(projection.builds.first());
    let Some(build) = build else { return "all its builds are retired; deploy or rebuild it".to_owned() };
    let number = build.build;
    match (stopped(build), build.state) {
        (Some(stopped), _) => stopped,
        (None, BuildState::Live) => format!("build {number} has caught up, and waits to be activated"),
        (None, _) => {
            format!("build {number} has not caught up yet: it is at position {} of {}", build.checkpoint, build.head)
        }
    }
}

/// Where and why a build has stopped, if it has.
fn stopped(build: &BuildSummary) -> Option<String> {
    let (number, state) = (build.build, build.state);
    if !matches!(state, BuildState::Paused | BuildState::Halted | BuildState::Failed) {
        return None;
    }
    let (position, reason) = match &build.error {
        Some(BuildError::Module { failure, .. }) => (failure.position, Some(failure.message.clone())),
        error => (build.checkpoint, error.as_ref().map(ToString::to_string)),
    };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let state = if state == BuildState::Paused { "is paused".to_owned() } else { state.to_string() };
    Some(format!("build {number} {state} at position {position}{reason}"))
}
