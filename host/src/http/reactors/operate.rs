//! `POST /v1/reactors/{name}/pause`, `resume`, `retry`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{
        extract::{NoParams, Params, PathParams},
        problem::Problem,
        state::Api,
    },
    operations::RetriedReactor,
    read_model::Identifier,
    subscriptions::Redelivery,
};

/// The reactor as it is now. `done` says what has happened to it.
pub(super) async fn reactor(api: &Api, name: &Identifier, done: &str) -> Result<api::Reactor, Problem> {
    // The operation has taken effect: a client that took the failure for that of the operation would repeat it.
    let found = api.operations.reactor(name).await.map_err(Problem::from);
    Ok(found.map_err(|problem| problem.after(&format!("the reactor {done}")))?.into())
}

pub(in crate::http) async fn pause(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::Reactor>, Problem> {
    api.operations.pause_reactor(&name).await?;
    Ok(Json(reactor(&api, &name, "is paused").await?))
}

pub(in crate::http) async fn resume(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::Reactor>, Problem> {
    api.operations.resume_reactor(&name).await?;
    Ok(Json(reactor(&api, &name, "is resumed").await?))
}

pub(in crate::http) async fn retry(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(retry): Params<api::RetryReactorQuery>,
) -> Result<Json<api::RetriedReactor>, Problem> {
    let redelivery = if retry.out_of_order { Redelivery::All } else { Redelivery::InOrder };
    let RetriedReactor { overtaken, behind_others } = api.operations.retry_reactor(&name, redelivery).await?;
    let reactor = reactor(&api, &name, "tries again").await?;
    Ok(Json(api::RetriedReactor { overtaken, behind_others, reactor }))
}
