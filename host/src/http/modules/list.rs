//! `GET /v1/modules`, `/v1/modules/{name}`, `/v1/modules/{name}/versions/{version}`

use axum::{Json, extract::State};
use serde::Serialize;

use super::{no_module, no_version};
use crate::{
    http::{
        Api,
        extract::{NoParams, PathParams},
        problem::Problem,
    },
    modules::{ModuleSummary, ModuleVersion, VersionSummary},
    read_model::Identifier,
};

#[derive(Serialize)]
pub(in crate::http) struct List {
    modules: Vec<ModuleSummary>,
}

pub(in crate::http) async fn list(State(api): State<Api>, NoParams: NoParams) -> Result<Json<List>, Problem> {
    Ok(Json(List { modules: api.modules.list().await? }))
}

pub(in crate::http) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<ModuleSummary>, Problem> {
    api.modules.get(&name).await?.map(Json).ok_or_else(|| no_module(&name))
}

pub(in crate::http) async fn version(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, version)): PathParams<(Identifier, ModuleVersion)>,
) -> Result<Json<VersionSummary>, Problem> {
    let module = api.modules.get(&name).await?.ok_or_else(|| no_module(&name))?;
    let found = module.versions.into_iter().find(|known| known.version == version);
    found.map(Json).ok_or_else(|| no_version(&name, version))
}
