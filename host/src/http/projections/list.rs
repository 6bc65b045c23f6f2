//! `GET /v1/projections`, `GET /v1/projections/{name}`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::follow::{self, Watched};
use crate::{
    api,
    http::{
        extract::{NoParams, PathParams},
        problem::{Code, Problem},
        sse,
        state::Api,
    },
    read_model::Identifier,
};

/// Every projection. A follower gets each of them whenever it has changed.
pub(in crate::http) async fn list(
    State(api): State<Api>,
    NoParams: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::All));
    }
    let projections = api.operations.projections().await?.into_iter().map(Into::into).collect();
    Ok(Json(api::Projections { projections }).into_response())
}

/// One projection. A follower gets it whenever it has changed.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut found = projection(&api, &name).await?;
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::One(name)));
    }
    found.reading = api.operations.reading(&api.log, &name).await?.map(Into::into);
    Ok(Json(found).into_response())
}

/// The projection with a name.
///
/// # Errors
/// It does not exist, or Postgres fails.
pub(super) async fn projection(api: &Api, name: &Identifier) -> Result<api::Projection, Problem> {
    let found = api.operations.projection(name).await?;
    found
        .map(Into::into)
        .ok_or_else(|| Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`")))
}
