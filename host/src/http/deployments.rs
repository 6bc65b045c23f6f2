//! `POST /v1/deployments`

use axum::{Json, extract::State};
use serde_json::json;

use super::{
    caller::By,
    extract::{JsonBody, NoParams},
    needs::Needs,
    openapi::Operation,
    problem::{Code, Problem},
    reactors::REACTOR_CODES,
    state::Api,
};
use crate::{access::Scope, api, modules::ModuleVersion, operations::Deployment, read_model::Identifier};

/// Deploys versions of several modules as one change.
pub(super) async fn deploy(
    State(api): State<Api>,
    NoParams: NoParams,
    by: By,
    JsonBody(wanted): JsonBody<api::NewDeployment>,
) -> Result<Json<api::Deployment>, Problem> {
    let mut versions = Vec::with_capacity(wanted.modules.len());
    for (index, api::VersionToDeploy { name, version }) in wanted.modules.into_iter().enumerate() {
        let name = Identifier::new(name).map_err(|error| {
            let field = format!("modules[{index}].name");
            Problem::new(Code::InvalidBody, format!("{field}: {error}")).with("field", field)
        })?;
        by.check(Scope::Deploy, "module", name.as_str())?;
        versions.push((name, ModuleVersion(version)));
    }
    let Deployment { modules, builds, reactors } = api.operations.deploy(&versions, wanted.activate.into()).await?;
    let modules = modules.into_iter().map(|(name, version, kind)| api::DeployedModule {
        name: name.into(),
        version: version.0,
        kind: kind.into(),
    });
    let builds = builds.into_iter().map(Into::into).collect();
    let reactors = reactors.into_iter().map(Into::into).collect();
    Ok(Json(api::Deployment { modules: modules.collect(), builds, reactors }))
}

/// The operation of this route.
pub(super) fn describe() -> Vec<Operation> {
    let deployed = json!({
        "modules": [{"name": "bank", "version": 2, "kind": "projection"}],
        "builds": [{"projection": "bank", "build": 2, "replaces": {"build": 1, "version": 1}}],
        "reactors": [{"name": "settlement", "version": 2, "replaced_version": 1}],
    });
    vec![
        Operation::post(
            Needs::DEPLOY_EACH,
            "/v1/deployments",
            "deploy",
            "Deploys versions of several modules as one change.",
        )
        .takes::<api::NewDeployment>(json!({"modules": [{"name": "bank", "version": 2}], "activate": "auto"}))
        .answers::<api::Deployment>(200, "The builds that were begun.", deployed)
        .problems(&REACTOR_CODES)
        .problems(&[
            Code::ModuleNotFound,
            Code::InvalidModule,
            Code::ModulesBusy,
            Code::UpcasterConflict,
            Code::ViewNameTaken,
            Code::ViewInUse,
            Code::TooManyBuilds,
        ]),
    ]
}
