//! `/v1/upcasters`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    Api,
    extract::{NoParams, Params, PathParams},
    problem::Problem,
};
use crate::{
    modules::ModuleVersion,
    projector::{ActiveUpcaster, Rebuilt},
    read_model::Identifier,
};

#[derive(Serialize)]
pub(super) struct List {
    upcasters: Vec<ActiveUpcaster>,
}

/// `GET /v1/upcasters`
pub(super) async fn list(State(api): State<Api>, NoParams: NoParams) -> Result<Json<List>, Problem> {
    Ok(Json(List { upcasters: api.projector.upcasters().await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    version: Option<ModuleVersion>,
}

/// What was changed, and the builds that were begun because of it.
#[derive(Serialize)]
pub(super) struct Answer {
    name: Identifier,
    active_version: Option<ModuleVersion>,
    builds: Vec<Rebuilt>,
}

/// `POST /v1/upcasters/{name}/activate`
pub(super) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<Which>,
) -> Result<Json<Answer>, Problem> {
    let (version, builds) = api.projector.activate_upcaster(&name, which.version).await?;
    Ok(Json(Answer { name, active_version: Some(version), builds }))
}

/// `POST /v1/upcasters/{name}/deactivate`
pub(super) async fn deactivate(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<Answer>, Problem> {
    let builds = api.projector.deactivate_upcaster(&name).await?;
    Ok(Json(Answer { name, active_version: None, builds }))
}
