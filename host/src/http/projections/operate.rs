//! `POST /v1/projections/{name}/rebuild`, `activate`, `rollback`, `pause`, `resume`, `retry`

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};

use super::list::projection;
use crate::{
    api,
    builds::BuildId,
    http::{
        convert::build_id,
        extract::{NoParams, Params, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    operations::{Activated, Retried},
    read_model::Identifier,
    subscriptions::Redelivery,
};

/// How long a build that is to be activated is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) type Answered = Result<(StatusCode, Json<api::Operated>), Problem>;

pub(super) async fn answer(api: &Api, name: &Identifier, build: BuildId, status: StatusCode) -> Answered {
    Ok((status, Json(operated(api, name, build).await?)))
}

async fn operated(api: &Api, name: &Identifier, build: BuildId) -> Result<api::Operated, Problem> {
    Ok(api::Operated { build: build.into(), projection: projection(api, name).await? })
}

pub(in crate::http) async fn rebuild(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(rebuild): Params<api::RebuildQuery>,
) -> Answered {
    let build = api.operations.rebuild(&name, rebuild.version.map(ModuleVersion), rebuild.activate.into()).await?;
    answer(&api, &name, build, StatusCode::CREATED).await
}

pub(in crate::http) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<api::BuildQuery>,
) -> Answered {
    let (build, activated) = api.operations.activate(&name, which.build.map(build_id), PATIENCE).await?;
    let status = match activated {
        Activated::Now => StatusCode::OK,
        Activated::WhenCaughtUp => StatusCode::ACCEPTED,
    };
    answer(&api, &name, build, status).await
}

pub(in crate::http) async fn rollback(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    NoParams: NoParams,
) -> Answered {
    let build = api.operations.rollback(&name, PATIENCE).await?;
    answer(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn pause(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<api::BuildQuery>,
) -> Answered {
    let build = api.operations.pause(&name, which.build.map(build_id)).await?;
    answer(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn resume(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<api::BuildQuery>,
) -> Answered {
    let build = api.operations.resume(&name, which.build.map(build_id)).await?;
    answer(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn retry(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(retry): Params<api::RetryQuery>,
) -> Result<Json<api::Retried>, Problem> {
    let redelivery = if retry.out_of_order { Redelivery::All } else { Redelivery::InOrder };
    let Retried { build, overtaken, behind_others } =
        api.operations.retry(&name, retry.build.map(build_id), redelivery).await?;
    Ok(Json(api::Retried { overtaken, behind_others, operated: operated(&api, &name, build).await? }))
}
