//! `GET /v1/modules`, `/v1/modules/{name}`, `/v1/modules/{name}/versions/{version}`

use axum::{Json, extract::State};

use super::{no_module, no_version};
use crate::{
    api,
    http::{
        caller::By,
        extract::{NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

pub(in crate::http) async fn list(
    State(api): State<Api>,
    by: By,
    NoParams: NoParams,
) -> Result<Json<api::Modules>, Problem> {
    let found = api.modules.list().await?.into_iter().filter(|found| by.sees_in_list(found.name.as_str()));
    let modules = found.map(Into::into).collect();
    Ok(Json(api::Modules { modules }))
}

pub(in crate::http) async fn get(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::Module>, Problem> {
    api.modules.get(&name).await?.map(|module| Json(module.into())).ok_or_else(|| no_module(&name))
}

pub(in crate::http) async fn version(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams((name, version)): PathParams<(Identifier, ModuleVersion)>,
) -> Result<Json<api::DescribedVersion>, Problem> {
    if let Some(found) = api.modules.version(&name, version).await? {
        return Ok(Json(found.into()));
    }
    // Which of the two there is not.
    api.modules.get(&name).await?.ok_or_else(|| no_module(&name))?;
    Err(no_version(&name, version))
}
