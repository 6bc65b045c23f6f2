//! `GET /v1/streams`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use crate::{
    event_log::{StreamName, StreamSummary},
    http::{
        Api,
        extract::Params,
        names, page,
        problem::{Code, Problem},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Query {
    category: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(in crate::http) struct Page {
    streams: Vec<StreamSummary>,
    /// What to give as `after` for the next page; null at the end.
    next: Option<StreamName>,
}

pub(in crate::http) async fn list(State(api): State<Api>, Params(query): Params<Query>) -> Result<Json<Page>, Problem> {
    let limit = page::limit(query.limit, &api.settings)?;
    let categories = names::categories(query.category.as_deref())?;
    let after = query.after.unwrap_or_default();
    if after.contains('\0') {
        return Err(Problem::new(Code::InvalidQuery, "`after`: no stream's name contains the character '\\0'"));
    }
    let streams = api.log.streams(&categories, &after, limit).await?;
    let next = if streams.len() == limit { streams.last().map(|last| last.stream.clone()) } else { None };
    Ok(Json(Page { streams, next }))
}
