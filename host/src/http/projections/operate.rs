//! `POST /v1/projections/{name}/rebuild`, `activate`, `rollback`, `pause`, `resume`, `retry`

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::list::projection;
use crate::{
    builds::{Activation, BuildId, ProjectionSummary},
    http::{
        Api,
        extract::{NoParams, Params, PathParams},
        problem::Problem,
    },
    modules::ModuleVersion,
    operations::{Activated, Retried},
    read_model::Identifier,
    subscriptions::Redelivery,
};

/// How long a build that is to be activated is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The build that it was done with, and the projection as it is now.
#[derive(Serialize)]
pub(in crate::http) struct Answer {
    build: BuildId,
    #[serde(flatten)]
    projection: ProjectionSummary,
}

pub(super) type Answered = Result<(StatusCode, Json<Answer>), Problem>;

pub(super) async fn answer(api: &Api, name: &Identifier, build: BuildId, status: StatusCode) -> Answered {
    Ok((status, Json(Answer { build, projection: projection(api, name).await? })))
}

/// Which build is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Which {
    pub(super) build: Option<BuildId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Rebuild {
    version: Option<ModuleVersion>,
    #[serde(default)]
    activate: Activation,
}

pub(in crate::http) async fn rebuild(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(rebuild): Params<Rebuild>,
) -> Answered {
    let build = api.operations.rebuild(&name, rebuild.version, rebuild.activate).await?;
    answer(&api, &name, build, StatusCode::CREATED).await
}

pub(in crate::http) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<Which>,
) -> Answered {
    let (build, activated) = api.operations.activate(&name, which.build, PATIENCE).await?;
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
    Params(which): Params<Which>,
) -> Answered {
    let build = api.operations.pause(&name, which.build).await?;
    answer(&api, &name, build, StatusCode::OK).await
}

pub(in crate::http) async fn resume(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<Which>,
) -> Answered {
    let build = api.operations.resume(&name, which.build).await?;
    answer(&api, &name, build, StatusCode::OK).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Retry {
    build: Option<BuildId>,
    #[serde(default)]
    out_of_order: bool,
}

/// As [`Answer`], with the dead letters that are not tried again.
#[derive(Serialize)]
pub(in crate::http) struct RetryAnswer {
    overtaken: u64,
    behind_others: u64,
    #[serde(flatten)]
    answer: Answer,
}

pub(in crate::http) async fn retry(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(retry): Params<Retry>,
) -> Result<Json<RetryAnswer>, Problem> {
    let redelivery = if retry.out_of_order { Redelivery::All } else { Redelivery::InOrder };
    let Retried { build, overtaken, behind_others } = api.operations.retry(&name, retry.build, redelivery).await?;
    Ok(Json(RetryAnswer {
        overtaken,
        behind_others,
        answer: Answer { build, projection: projection(&api, &name).await? },
    }))
}
