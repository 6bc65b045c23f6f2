//! `DELETE /v1/projections/{name}`, `DELETE …/{name}/builds/{build}`, `DELETE …/{name}/verify/{verification}`

use axum::{extract::State, http::StatusCode};

use crate::{
    builds::BuildNumber,
    http::{
        extract::{NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Deletes a projection with all its builds.
pub(in crate::http) async fn delete(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<StatusCode, Problem> {
    api.operations.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Retires a build.
pub(in crate::http) async fn retire(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, build)): PathParams<(Identifier, BuildNumber)>,
) -> Result<StatusCode, Problem> {
    api.operations.retire(&name, build).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a verification.
pub(in crate::http) async fn end_verification(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, verification)): PathParams<(Identifier, BuildNumber)>,
) -> Result<StatusCode, Problem> {
    api.operations.end_verification(&name, verification).await?;
    Ok(StatusCode::NO_CONTENT)
}
