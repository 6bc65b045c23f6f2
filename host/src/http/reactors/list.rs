//! `GET /v1/reactors`, `GET /v1/reactors/{name}`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{
        caller::By,
        extract::{NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Every reactor.
pub(in crate::http) async fn list(
    State(api): State<Api>,
    by: By,
    NoParams: NoParams,
) -> Result<Json<api::Reactors>, Problem> {
    let reactors = api.operations.reactors().await?.into_iter();
    let reactors = reactors.filter(|found| by.sees_in_list(found.name.as_str())).map(Into::into).collect();
    Ok(Json(api::Reactors { reactors }))
}

/// One reactor.
pub(in crate::http) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::Reactor>, Problem> {
    Ok(Json(api.operations.reactor(&name).await?.into()))
}
