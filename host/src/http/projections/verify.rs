//! `POST /v1/projections/{name}/verify`, `GET /v1/projections/{name}/verify/{verification}`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{compare::options, operate::operated};
use crate::{
    api,
    builds::BuildNumber,
    http::{
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
) -> Result<(StatusCode, Json<api::VerificationBegun>), Problem> {
    let (verification, build) = api.operations.verify(&name, query.build.map(BuildNumber)).await?;
    let operated = operated(&api, &name, build, &format!("is verified by verification {verification}")).await?;
    Ok((StatusCode::CREATED, Json(api::VerificationBegun { verification: verification.into(), operated })))
}

/// The result, when the build that verifies has caught up.
pub(in crate::http) async fn verification(
    State(api): State<Api>,
    PathParams((name, verification)): PathParams<(Identifier, BuildNumber)>,
    Params(query): Params<api::VerificationQuery>,
    headers: HeaderMap,
) -> Result<Json<api::Verification>, Problem> {
    let options = options(&api, query.samples, &headers)?;
    Ok(Json(api.operations.verification(&name, verification, options).await?.into()))
}
