//! `/v1/projections`

mod compare;

pub(super) use self::compare::compare;

use axum::{Json, extract::State};
use serde::Serialize;

use super::{
    Api,
    extract::PathParams,
    problem::{Code, Problem},
};
use crate::{projector::ProjectionSummary, read_model::Identifier};

#[derive(Serialize)]
pub(super) struct List {
    projections: Vec<ProjectionSummary>,
}

/// `GET /v1/projections`
pub(super) async fn list(State(api): State<Api>) -> Result<Json<List>, Problem> {
    Ok(Json(List { projections: api.projector.list().await? }))
}

/// `GET /v1/projections/{name}`
pub(super) async fn get(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
) -> Result<Json<ProjectionSummary>, Problem> {
    let found = api.projector.get(&name).await?;
    found.map(Json).ok_or_else(|| Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`")))
}
