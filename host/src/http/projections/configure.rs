//! `PATCH /v1/projections/{name}`

use axum::{Json, extract::State};

use super::list::projection;
use crate::{
    api,
    builds::RetiredBuilds,
    http::{
        convert::on_failure,
        extract::{JsonBody, NoParams, PathParams},
        problem::Problem,
        state::Api,
    },
    read_model::Identifier,
};

/// Changes a projection's settings.
pub(in crate::http) async fn configure(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
    JsonBody(settings): JsonBody<api::ConfigureProjection>,
) -> Result<Json<api::Projection>, Problem> {
    api.operations.set_on_failure(&name, on_failure(&settings.on_failure)?).await?;
    Ok(Json(projection(&api, &name, RetiredBuilds::Hidden).await?.into()))
}
