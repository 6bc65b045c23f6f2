//! `GET /v1/reactors/{name}/history`

use axum::{Json, extract::State};

use crate::{
    api,
    http::{
        extract::{Params, PathParams},
        page,
        problem::{Code, Problem},
        state::Api,
    },
    reactors::HistoryEntry,
    read_model::Identifier,
};

/// Every change of a reactor, newest first.
pub(in crate::http) async fn history(
    State(api): State<Api>,
    PathParams(name): PathParams<Identifier>,
    Params(query): Params<api::HistoryQuery>,
) -> Result<Json<api::ReactorHistoryPage>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let history = api.operations.reactor_history(&name, query.after, limit).await?;
    if history.is_empty() && query.after.is_none() {
        return Err(Problem::new(Code::ReactorNotFound, format!("there is no reactor `{name}`, and never was")));
    }
    let next = history.last().filter(|_| history.len() == limit).map(|last| last.entry);
    Ok(Json(api::ReactorHistoryPage { history: history.into_iter().map(Into::into).collect(), next }))
}

impl From<HistoryEntry> for api::ReactorHistoryEntry {
    fn from(entry: HistoryEntry) -> Self {
        let HistoryEntry { entry, at, version, change, cause, actor, address, request_id } = entry;
        Self { entry, at, version: version.0, change, cause, actor, address, request_id }
    }
}
