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
    operations::{Activated, Retried},
    read_model::Identifier,
    subscriptions::Redelivery,
};

/// How long the host waits until a build that is to be activated holds what queries have seen.
const ACTIVATE_TIMEOUT: Duration = Duration::from_secs(10);

/// The answer to an operation on a build.
pub(super) type OperateResult = Result<(StatusCode, Json<api::Operated>), Problem>;

/// Answers with the build, and with the projection as it is now.
pub(super) async fn respond(api: &Api, name: &Identifier, build: BuildNumber, status: StatusCode) -> OperateResult {
    Ok((status, Json(operated(api, name, build).await?)))
}

pub(super) async fn operated(api: &Api, name: &Identifier, build: BuildNumber) -> Result<api::Operated, Problem> {
    Ok(api::Operated { build: build.into(), projection: projection(api, name, RetiredBuilds::Hidden).await? })
}

pub(in crate::http) async fn rebuild(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(rebuild): Params<api::RebuildQuery>,
) -> OperateResult {
    let build = api.operations.rebuild(&name, rebuild.version.map(ModuleVersion), rebuild.activate.into()).await?;
    respond(&api, &name, build, StatusCode::CREATED).await
}

pub(in crate::http) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let (build, activated) = api.operations.activate(&name, query.build.map(BuildNumber), ACTIVATE_TIMEOUT).await?;
    let status = match activated {
        Activated::Now => StatusCode::OK,
        Activated::WhenCaughtUp => StatusCode::ACCEPTED,
    };
    respond(&api, &name, build, status).await
}

pub(in crate::http) async fn rollback(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    NoParams: NoParams,
) -> OperateResult {
    let build = api.operations.rollback(&name, ACTIVATE_TIMEOUT).await?;
    respond(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn pause(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let build = api.operations.pause(&name, query.build.map(BuildNumber)).await?;
    respond(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn resume(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let build = api.operations.resume(&name, query.build.map(BuildNumber)).await?;
    respond(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn retry(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(retry): Params<api::RetryQuery>,
) -> Result<Json<api::Retried>, Problem> {
    let redelivery = if retry.out_of_order { Redelivery::All } else { Redelivery::InOrder };
    let Retried { build, overtaken, behind_others } =
        api.operations.retry(&name, retry.build.map(BuildNumber), redelivery).await?;
    Ok(Json(api::Retried { overtaken, behind_others, operated: operated(&api, &name, build).await? }))
}
