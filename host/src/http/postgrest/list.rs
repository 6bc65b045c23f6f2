//! `GET /v1/read-models`, `GET /v1/read-models/{projection}`

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::{
    fields::with_own_code,
    position::{POSITION, wait_for_min_position},
    refusal::{ReadTableError, with_postgrest_fields},
};
use crate::{
    api,
    http::{
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
    params: Result<NoParams, Problem>,
) -> Result<Json<api::ReadModels>, Problem> {
    params.map_err(with_own_code)?;
    let found = api.queries.read_models().await.map_err(|error| with_postgrest_fields(error.into()))?;
    Ok(Json(api::ReadModels { read_models: found.into_iter().map(read_model).collect() }))
}

/// One read model; waits for a position as queries do.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    path: Result<PathParams<Identifier>, Problem>,
    params: Result<NoParams, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let PathParams(projection) = path.map_err(with_own_code)?;
    params.map_err(with_own_code)?;
    read_one(&api, &projection, &headers).await.map_err(with_postgrest_fields)
}

async fn read_one(api: &Api, projection: &Identifier, headers: &HeaderMap) -> Result<Response, ReadTableError> {
    let preferences = Preferences::from_headers(headers);
    preferences.check()?;
    wait_for_min_position(api, projection, &preferences, headers).await?;
    let found = read_model(api.queries.read_model(projection).await?);
    let position = found.position;
    let mut response = Json(found).into_response();
    if let Some(position) = position {
        response.headers_mut().insert(POSITION, position.into());
    }
    Ok(response)
}
