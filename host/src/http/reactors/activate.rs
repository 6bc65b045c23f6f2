//! `POST /v1/reactors/{name}/activate`

use axum::{Json, extract::State};

use crate::{
    api,
    event_log::Position,
    http::{
        extract::{Params, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

/// Lets a version of a reactor work.
pub(in crate::http) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::ActivateReactorQuery>,
) -> Result<Json<api::DeployedReactor>, Problem> {
    let version = query.version.map(ModuleVersion);
    Ok(Json(api.operations.activate_reactor(&name, version, query.from.map(Position)).await?.into()))
}
