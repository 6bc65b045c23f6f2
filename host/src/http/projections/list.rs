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
    builds::RetiredBuilds,
    http::{
        convert::retired,
        extract::{Params, PathParams},
        problem::{Code, Problem},
        sse,
        state::Api,
    },
    read_model::Identifier,
};

/// Every projection. A follower gets each of them whenever it has changed.
pub(in crate::http) async fn list(
    State(api): State<Api>,
    Params(query): Params<api::ProjectionsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::All, retired(query)));
    }
    let projections = api.operations.projections(retired(query)).await?.into_iter().map(Into::into).collect();
    Ok(Json(api::Projections { projections }).into_response())
}

/// One projection. A follower gets it whenever it has changed.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    Params(query): Params<api::ProjectionsQuery>,
    PathParams(name): PathParams<Identifier>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut found = projection(&api, &name, retired(query)).await?;
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::One(name), retired(query)));
    }
    found.reading = api.operations.reading(&api.log, &name).await?.map(Into::into);
    Ok(Json(found).into_response())
}

/// The projection with a name.
///
/// # Errors
/// It does not exist, or Postgres fails.
pub(super) async fn projection(
    api: &Api,
    name: &Identifier,
    retired: RetiredBuilds,
) -> Result<api::Projection, Problem> {
    let found = api.operations.projection(name, retired).await?;
    found
        .map(Into::into)
        .ok_or_else(|| Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`")))
}
