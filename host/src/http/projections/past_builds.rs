//! `GET /v1/projections/{name}/past-builds`, `GET` and `DELETE …/past-builds/{past_build}`

use axum::{Json, extract::State, http::StatusCode};

use crate::{
    api,
    builds::BuildNumber,
    http::{
        extract::{NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// The past builds of a projection.
pub(in crate::http) async fn past_builds(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::PastBuilds>, Problem> {
    let found = api.operations.past_builds(&name).await?;
    Ok(Json(api::PastBuilds { past_builds: found.into_iter().map(Into::into).collect() }))
}

/// One of them.
pub(in crate::http) async fn past_build(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, past_build)): PathParams<(Identifier, BuildNumber)>,
) -> Result<Json<api::PastBuild>, Problem> {
    Ok(Json(api.operations.one_past_build(&name, past_build).await?.into()))
}

/// Retires one of them.
pub(in crate::http) async fn retire_past(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, past_build)): PathParams<(Identifier, BuildNumber)>,
) -> Result<StatusCode, Problem> {
    api.operations.retire_past(&name, past_build).await?;
    Ok(StatusCode::NO_CONTENT)
}
