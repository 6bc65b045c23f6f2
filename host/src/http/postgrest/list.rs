//! `GET /v1/read-models`, `GET /v1/read-models/{projection}`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::{
    position::{POSITION, Wanted},
    refusal::{ReadTableError, to_problem},
    session::SESSION,
};
use crate::{
    access::Scope,
    api,
    event_log::Position,
    http::{
        caller::By,
        convert::read_model,
        extract::{NoParams, PathParams},
        prefer::Preferences,
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Every read model.
pub(in crate::http) async fn list(
    State(api): State<Api>,
    by: By,
    _: NoParams,
) -> Result<Json<api::ReadModels>, Problem> {
    let mut found = api.queries.read_models().await.map_err(|error| to_problem(error.into()))?;
    found.retain(|found| by.sees(&[Scope::ReadModels], found.projection.as_str()));
    Ok(Json(api::ReadModels { read_models: found.into_iter().map(read_model).collect() }))
}

/// One read model; waits for a position as queries do.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    PathParams(projection): PathParams<Identifier>,
    _: NoParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    read_one(&api, &projection, &headers).await.map_err(to_problem)
}

async fn read_one(api: &Api, projection: &Identifier, headers: &HeaderMap) -> Result<Response, ReadTableError> {
    let preferences = Preferences::from_headers(headers);
    preferences.check()?;
    let wanted = Wanted::of(api, projection, &preferences, headers)?;
    wanted.wait(api).await?;
    let found = read_model(api.queries.read_model(projection).await?);
    let position = found.position;
    let mut response = Json(found).into_response();
    if let Some(position) = position {
        response.headers_mut().insert(POSITION, position.into());
        if let Some(session) = wanted.session_after(Position(position)) {
            response.headers_mut().insert(SESSION, session);
        }
    }
    Ok(response)
}
