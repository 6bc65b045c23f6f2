//! `POST /v1/projections/{name}/verify`, `GET /v1/projections/{name}/verify/{build}`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    compare::options,
    operate::{OperateResult, respond},
};
use crate::{
    api,
    builds::BuildId,
    http::{
        convert::build_id,
        extract::{Params, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Begins a build that verifies another one.
pub(in crate::http) async fn verify(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::BuildQuery>,
) -> OperateResult {
    let build = api.operations.verify(&name, query.build.map(build_id)).await?;
    respond(&api, &name, build, StatusCode::CREATED).await
}

/// The result, when the build that verifies has caught up.
pub(in crate::http) async fn verification(
    State(api): State<Api>,
    PathParams((name, build)): PathParams<(Identifier, BuildId)>,
    Params(query): Params<api::VerificationQuery>,
    headers: HeaderMap,
) -> Result<Json<api::Verification>, Problem> {
    let options = options(&api, query.samples, &headers)?;
    Ok(Json(api.operations.verification(&name, build, options).await?.into()))
}
