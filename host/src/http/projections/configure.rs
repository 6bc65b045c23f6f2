//! `PATCH /v1/projections/{name}`

use axum::{Json, extract::State};
use serde::Deserialize;

use super::list::projection;
use crate::{
    http::{
        Api,
        extract::{JsonBody, NoParams, PathParams},
        problem::Problem,
    },
    projector::{OnFailure, ProjectionSummary},
    read_model::Identifier,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Settings {
    /// What happens at an event that the module cannot handle.
    on_failure: OnFailure,
}

/// Changes a projection's settings.
pub(in crate::http) async fn configure(
    State(api): State<Api>,
    NoParams: NoParams,
    PathParams(name): PathParams<Identifier>,
    JsonBody(settings): JsonBody<Settings>,
) -> Result<Json<ProjectionSummary>, Problem> {
    api.projector.set_on_failure(&name, settings.on_failure).await?;
    Ok(Json(projection(&api, &name).await?))
}
