//! `GET /v1/projections`, `GET /v1/projections/{name}`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::follow::{self, Watched};
use crate::{
    http::{
        Api,
        extract::{NoParams, PathParams},
        problem::{Code, Problem},
        sse,
    },
    projector::ProjectionSummary,
    read_model::Identifier,
};

#[derive(Serialize)]
struct List {
    projections: Vec<ProjectionSummary>,
}

/// Every projection; followed, each of them when it has changed.
pub(in crate::http) async fn list(
    State(api): State<Api>,
    NoParams: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::All));
    }
    Ok(Json(List { projections: api.projector.list().await? }).into_response())
}

/// One projection; followed, when it has changed.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = projection(&api, &name).await?;
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::One(name)));
    }
    Ok(Json(found).into_response())
}

/// The projection of a name, or the problem that there is none.
pub(super) async fn projection(api: &Api, name: &Identifier) -> Result<ProjectionSummary, Problem> {
    let found = api.projector.get(name).await?;
    found.ok_or_else(|| Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`")))
}
