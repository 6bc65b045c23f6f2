//! `GET /v1/projections/{name}/history`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
        state::Api,
    },
    read_model::Identifier,
};

/// Every change of the state of a projection and its builds, newest first.
pub(in crate::http) async fn history(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::HistoryQuery>,
) -> Result<Json<api::HistoryPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let history = api.operations.history(&name, query.after, limit).await?;
    if history.is_empty() && query.after.is_none() {
        return Err(Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`, and never was")));
    }
    let next = history.last().filter(|_| history.len() == limit).map(|last| last.entry);
    Ok(Json(api::HistoryPage { history: history.into_iter().map(Into::into).collect(), next }))
}
