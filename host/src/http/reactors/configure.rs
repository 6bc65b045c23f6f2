//! `PATCH /v1/reactors/{name}`

use axum::{Json, extract::State};

use super::operate::reactor;
use crate::{
    api,
    http::{
        convert::on_failure,
        extract::{JsonBody, NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Changes a reactor's settings.
pub(in crate::http) async fn configure(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
    JsonBody(settings): JsonBody<api::ConfigureReactor>,
) -> Result<Json<api::Reactor>, Problem> {
    api.operations.set_reactor_on_failure(&name, on_failure(&settings.on_failure)?).await?;
    Ok(Json(reactor(&api, &name, "is changed").await?))
}
