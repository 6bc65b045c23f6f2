//! `GET /v1/read-models/{projection}/{table}`

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, Version},
    response::Response,
};

use super::{
    as_of::AsOf,
    asked::Asked,
    columns,
    error::PostgrestError,
    live,
    location::content_location,
    past,
    past_question::PastQuestion,
    refusal::{ReadTableError, to_problem},
    respond::{Frame, known_tags, weak},
};
use crate::{
    http::{extract::PathParams, problem::Problem, sse, state::Api, traces::query_span},
    queries::ReadRequest,
    read_model::{Identifier, query::MAX_QUERY_BYTES},
};

pub(in crate::http) async fn query(
    State(api): State<Api>,
    method: Method,
    version: Version,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    read_table(&api, &projection, &table, &query, (&method, version), &headers).await.map_err(to_problem)
}

async fn read_table(
    api: &Api,
    projection: &Identifier,
    table: &str,
    query: &str,
    method: (&Method, Version),
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    let (as_of, of_the_past) = AsOf::of(headers, query)?;
    if *method.0 == Method::GET && sse::wanted(headers) {
        if as_of.is_some() {
            let hint = "Leave out as_of and Gnomon-As-Of, or ask without text/event-stream.";
            return Err(PostgrestError::not_live("The past does not change, so it has no live query.", hint).into());
        }
        return live::follow(api, projection, table, query, headers).await;
    }
    let asked = Asked::of(api, projection, method, headers).await?;
    if let Some(as_of) = as_of {
        let (query, max_query_bytes, is_of_url) = (of_the_past.as_str(), MAX_QUERY_BYTES, true);
        let question = PastQuestion { projection, table, query, max_query_bytes, as_of, waits: true, is_of_url };
        return past::answer(api, &asked, &question, headers).await;
    }
    let request = asked.request(api, projection, table, query);
    let location = content_location(projection.as_str(), table, query);
    let page_of = Some((projection, table, query));
    let frame = Frame { asked: &asked, max_rows: api.settings.max_rows, location, page_of, is_past: false };
    // Columns have no tag: they are read once, and kept by who reads them.
    if asked.media.columns.is_none()
        && let Some(tags) = known_tags(headers)
    {
        let is_known = |tag| tags.contains(&weak(tag).as_str());
        if let Some(unchanged) = asked.wanted.unchanged(api, &request, is_known).await? {
            return frame.unchanged(&unchanged);
        }
    }
    answer(api, &frame, request).await
}

/// Answers a request with what it asks for.
pub(super) async fn answer(api: &Api, frame: &Frame<'_>, request: ReadRequest<'_>) -> Result<Response, ReadTableError> {
    if let Some(format) = frame.asked.media.columns {
        return columns::export(api, frame, request, format).await;
    }
    let span = query_span(request.projection.as_str(), request.table);
    frame.answer(span.scope(frame.asked.wanted.read(api, request)).await?)
}
