//! `GET /v1/reactors/{name}/rehearsal`

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
    operations::RehearseOptions,
    read_model::Identifier,
};

/// What a version of a reactor would have done.
pub(in crate::http) async fn rehearse(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::RehearseQuery>,
) -> Result<Json<api::Rehearsal>, Problem> {
    let version = query.version.map(ModuleVersion);
    let options = RehearseOptions { version, from: Position(query.from), to: Position(query.to) };
    let rehearsal = api.operations.rehearse(&api.log, &name, options).await?;
    Ok(Json(crate::http::convert::rehearsal(name, rehearsal)))
}
