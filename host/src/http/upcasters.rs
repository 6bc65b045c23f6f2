//! `/v1/upcasters`

use axum::{Json, extract::State};
use serde_json::json;

use super::{
    caller::By,
    extract::{NoParams, Params, PathParams},
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    state::Api,
};
use crate::{api, modules::ModuleVersion, operations::Rebuilt, read_model::Identifier};

/// `GET /v1/upcasters`
pub(super) async fn list(State(api): State<Api>, by: By, NoParams: NoParams) -> Result<Json<api::Upcasters>, Problem> {
    let upcasters = api.operations.upcasters().await?.into_iter();
    let upcasters = upcasters.filter(|found| by.sees_in_list(found.name.as_str())).map(Into::into).collect();
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

/// The operations of these routes.
pub(super) fn describe() -> Vec<Operation> {
    let changed = |version: Option<u32>| json!({"name": "flights_v2", "active_version": version, "builds": [{"projection": "punctuality", "build": 2}]});
    let codes = [
        Code::UpcasterNotFound,
        Code::UpcasterConflict,
        Code::ModuleNotFound,
        Code::InvalidModule,
        Code::ModulesBusy,
        Code::TooManyBuilds,
    ];
    vec![
        Operation::get(Needs::SEE_EACH, "/v1/upcasters", "list_upcasters", "Lists the upcasters that are active, by name.")
            .answers::<api::Upcasters>(
                200,
                "The upcasters.",
                json!({"upcasters": [{
                    "name": "flights_v2", "active_version": 1, "steps": [{"type": "Landed", "from": 1, "to": 2, "produces": ["Landed"]}],
                }]}),
            ),
        Operation::post(Needs::DEPLOY, "/v1/upcasters/{name}/activate", "activate_upcaster", "Makes a version of an upcaster active.")
            .about("Projections that read its types get new builds, which replace the active ones when they have caught up.")
            .query::<api::ActivateUpcasterQuery>()
            .answers::<api::UpcasterChanged>(200, "The builds that were begun.", changed(Some(1)))
            .problems(&codes),
        Operation::post(Needs::DEPLOY, "/v1/upcasters/{name}/deactivate", "deactivate_upcaster", "Makes an upcaster inactive.")
            .answers::<api::UpcasterChanged>(200, "The builds that were begun.", changed(None))
            .problems(&codes),
    ]
}
