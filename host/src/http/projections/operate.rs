//! `POST /v1/projections/{name}/rebuild`, `activate`, `rollback`, `pause`, `resume`, `retry`

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};

use super::list::projection;
use crate::{
    api,
    builds::{BuildNumber, RetiredBuilds},
    http::{
        extract::{NoParams, Params, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    operations::{Activated, Retried, When},
    read_model::Identifier,
    subscriptions::Redelivery,
};

/// How long the host waits until a build that is to be activated holds what queries have seen.
const ACTIVATE_TIMEOUT: Duration = Duration::from_secs(10);

/// The answer to an operation on a build.
type OperateResult = Result<(StatusCode, Json<api::Operated>), Problem>;

/// Answers with the build, and with the projection as it is now. `done` says what has happened to the build.
async fn respond(api: &Api, name: &Identifier, build: BuildNumber, done: &str, status: StatusCode) -> OperateResult {
    Ok((status, Json(operated(api, name, build, done).await?)))
}

/// The build, and the projection as it is now.
pub(super) async fn operated(
    api: &Api,
    name: &Identifier,
    build: BuildNumber,
    done: &str,
) -> Result<api::Operated, Problem> {
    // The operation has taken effect: a client that took the failure for that of the operation would repeat it.
    let projection = projection(api, name, RetiredBuilds::Hidden).await;
    let projection =
        projection.map_err(|problem| problem.after(&format!("build {build} {done}")).with("build", build))?;
    Ok(api::Operated { build: build.into(), projection: projection.into() })
}

pub(in crate::http) async fn rebuild(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(rebuild): Params<api::RebuildQuery>,
) -> OperateResult {
    let build = api.operations.rebuild(&name, rebuild.version.map(ModuleVersion), rebuild.activate.into()).await?;
    respond(&api, &name, build, "was begun", StatusCode::CREATED).await
}

pub(in crate::http) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> Result<(StatusCode, Json<api::Activated>), Problem> {
    let activated = api.operations.activate(&name, query.build.map(BuildNumber), ACTIVATE_TIMEOUT).await?;
    respond_activated(&api, &name, activated).await
}

pub(in crate::http) async fn rollback(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    NoParams: NoParams,
) -> Result<(StatusCode, Json<api::Activated>), Problem> {
    let activated = api.operations.rollback(&name, ACTIVATE_TIMEOUT).await?;
    respond_activated(&api, &name, activated).await
}

async fn respond_activated(
    api: &Api,
    name: &Identifier,
    Activated { build, when }: Activated,
) -> Result<(StatusCode, Json<api::Activated>), Problem> {
    let (done, replaced, status) = match when {
        When::Now(replaced) => ("is active", replaced, StatusCode::OK),
        When::Already => ("was active already", None, StatusCode::OK),
        When::WhenCaughtUp => ("becomes active when it has caught up", None, StatusCode::ACCEPTED),
    };
    let operated = operated(api, name, build, done).await?;
    let stopped = |found: &&api::Build| {
        let states = [api::BuildState::Paused, api::BuildState::Halted, api::BuildState::Failed];
        found.build == operated.build && states.contains(&found.state)
    };
    let stands_still_at = operated.projection.builds.iter().find(stopped).map(|found| found.checkpoint);
    let (replaced, already_active) = (replaced.map(Into::into), when == When::Already);
    Ok((status, Json(api::Activated { replaced, already_active, stands_still_at, operated })))
}

pub(in crate::http) async fn pause(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let build = api.operations.pause(&name, query.build.map(BuildNumber)).await?;
    respond(&api, &name, build, "is paused", StatusCode::OK).await
}

pub(in crate::http) async fn resume(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let build = api.operations.resume(&name, query.build.map(BuildNumber)).await?;
    respond(&api, &name, build, "is resumed", StatusCode::OK).await
}

pub(in crate::http) async fn retry(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(retry): Params<api::RetryQuery>,
) -> Result<Json<api::Retried>, Problem> {
    let redelivery = if retry.out_of_order { Redelivery::All } else { Redelivery::InOrder };
    let Retried { build, overtaken, behind_others } =
        api.operations.retry(&name, retry.build.map(BuildNumber), redelivery).await?;
    Ok(Json(api::Retried { overtaken, behind_others, operated: operated(&api, &name, build, "tries again").await? }))
}
