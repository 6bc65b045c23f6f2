//! `/v1/upcasters`

use axum::{Json, extract::State};

use super::{
    extract::{NoParams, Params, PathParams},
    problem::Problem,
    state::Api,
};
use crate::{api, modules::ModuleVersion, operations::Rebuilt, read_model::Identifier};

/// `GET /v1/upcasters`
pub(super) async fn list(State(api): State<Api>, NoParams: NoParams) -> Result<Json<api::Upcasters>, Problem> {
    let upcasters = api.operations.upcasters().await?.into_iter().map(Into::into).collect();
    Ok(Json(api::Upcasters { upcasters }))
}

fn respond(name: Identifier, version: Option<ModuleVersion>, builds: Vec<Rebuilt>) -> Json<api::UpcasterChanged> {
    let builds = builds.into_iter().map(Into::into).collect();
    Json(api::UpcasterChanged { name: name.into(), active_version: version.map(|version| version.0), builds })
}

/// `POST /v1/upcasters/{name}/activate`
pub(super) async fn activate(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::ActivateUpcasterQuery>,
) -> Result<Json<api::UpcasterChanged>, Problem> {
    let (version, builds) = api.operations.activate_upcaster(&name, query.version.map(ModuleVersion)).await?;
    Ok(respond(name, Some(version), builds))
}

/// `POST /v1/upcasters/{name}/deactivate`
pub(super) async fn deactivate(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<api::UpcasterChanged>, Problem> {
    let builds = api.operations.deactivate_upcaster(&name).await?;
    Ok(respond(name, None, builds))
}
