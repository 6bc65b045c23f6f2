//! `POST /v1/projections/{name}/verify`, `GET /v1/projections/{name}/verify/{build}`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    compare::{Query, options},
    operate::{Answered, Which, answer},
};
use crate::{
    builds::BuildId,
    http::{
        Api,
        extract::{Params, PathParams},
        problem::Problem,
    },
    operations::Verification,
    read_model::Identifier,
};

/// Begins to verify a build.
pub(in crate::http) async fn verify(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(which): Params<Which>,
) -> Answered {
    let build = api.operations.verify(&name, which.build).await?;
    answer(&api, &name, build, StatusCode::CREATED).await
}

/// What came of it.
pub(in crate::http) async fn verification(
    State(api): State<Api>,
    PathParams((name, build)): PathParams<(Identifier, BuildId)>,
    Params(query): Params<Query>,
    headers: HeaderMap,
) -> Result<Json<Verification>, Problem> {
    let options = options(&api, query.samples, &headers)?;
    Ok(Json(api.operations.verification(&name, build, options).await?))
}
