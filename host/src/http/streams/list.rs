//! `GET /v1/streams`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use crate::{
    event_log::{StreamName, StreamSummary},
    http::{Api, extract::Params, page, problem::Problem},
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
    let after = query.after.unwrap_or_default();
    let streams = api.log.streams(query.category.as_deref(), &after, limit).await?;
    let next = if streams.len() == limit { streams.last().map(|last| last.stream.clone()) } else { None };
    Ok(Json(Page { streams, next }))
}
