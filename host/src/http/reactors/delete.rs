//! `DELETE /v1/reactors/{name}`

use axum::{extract::State, http::StatusCode};

use crate::{
    http::{
        extract::{NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Deletes a reactor with its rows, its schedules and its dead letters.
pub(in crate::http) async fn delete(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<StatusCode, Problem> {
    api.operations.delete_reactor(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
