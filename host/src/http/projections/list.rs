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
    builds::{ProjectionSummary, RetiredBuilds},
    http::{
        caller::By,
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
    by: By,
    Params(query): Params<api::ProjectionsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::All(by), retired(query)));
    }
    let mut projections = Vec::new();
    for found in api.operations.projections(retired(query)).await? {
        if !by.sees_in_list(found.name.as_str()) {
            continue;
        }
        projections.push(with_reading(&api, found, query).await?);
    }
    Ok(Json(api::Projections { projections }).into_response())
}

/// One projection. A follower gets it whenever it has changed.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    Params(query): Params<api::ProjectionsQuery>,
    PathParams(name): PathParams<Identifier>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = projection(&api, &name, retired(query)).await?;
    if sse::wanted(&headers) {
        return Ok(follow::respond(api, Watched::One(name), retired(query)));
    }
    Ok(Json(with_reading(&api, found, query).await?).into_response())
}

/// A projection as it is answered, with what it reads if the query asks for it: that takes a look at every type of the log.
async fn with_reading(
    api: &Api,
    found: ProjectionSummary,
    query: api::ProjectionsQuery,
) -> Result<api::Projection, Problem> {
    let reading = if query.reading { api.operations.reading(&api.log, &found.name).await? } else { None };
    Ok(api::Projection { reading: reading.map(Into::into), ..found.into() })
}

/// The projection with a name.
///
/// # Errors
/// It does not exist, or Postgres fails.
pub(super) async fn projection(
    api: &Api,
    name: &Identifier,
    retired: RetiredBuilds,
) -> Result<ProjectionSummary, Problem> {
    let found = api.operations.projection(name, retired).await?;
    found.ok_or_else(|| Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`")))
}
