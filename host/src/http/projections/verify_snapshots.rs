//! `POST /v1/projections/{name}/snapshots/verify`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{
        extract::{Params, PathParams},
        problem::Problem,
        state::Api,
    },
    modules::ModuleVersion,
    read_model::Identifier,
};

pub(in crate::http) async fn verify_snapshots(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::VerifySnapshotsQuery>,
) -> Result<Json<api::SnapshotsVerification>, Problem> {
    let verification = api.past.verify_snapshots(&api.log, &name, query.version.map(ModuleVersion)).await?;
    Ok(Json(verification.into()))
}
