//! `GET /v1/projections/{name}/history`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use crate::{
    builds::HistoryEntry,
    http::{
        Api,
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
    },
    read_model::Identifier,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    /// The entry to begin behind, in the direction of the past.
    after: Option<i64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(in crate::http) struct Page {
    history: Vec<HistoryEntry>,
    /// To be given as `after` for the next page; none if there is nothing older.
    next: Option<i64>,
}

/// Every change of a projection's states, newest first.
pub(in crate::http) async fn history(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<Query>,
) -> Result<Json<Page>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let history = api.operations.history(&name, query.after, limit).await?;
    if history.is_empty() && query.after.is_none() {
        return Err(Problem::new(Code::ProjectionNotFound, format!("there is no projection `{name}`, and never was")));
    }
    let next = history.last().filter(|_| history.len() == limit).map(|last| last.entry);
    Ok(Json(Page { history, next }))
}
