//! `GET /v1/read-models/{projection}/{table}`

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, Method, header},
    response::Response,
};
use tracing::Instrument as _;

use super::{
    asked::Asked,
    location::content_location,
    refusal::{ReadTableError, to_problem},
    respond::{Frame, weak},
};
use crate::{
    http::{extract::PathParams, problem::Problem, state::Api, traces::query_span},
    queries::ReadRequest,
    read_model::Identifier,
};

pub(in crate::http) async fn query(
    State(api): State<Api>,
    method: Method,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    read_table(&api, &projection, &table, &query, &method, &headers).await.map_err(to_problem)
}

async fn read_table(
    api: &Api,
    projection: &Identifier,
    table: &str,
    query: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    let asked = Asked::of(api, projection, method, headers).await?;
    let request = asked.request(api, projection, table, query);
    let location = content_location(projection.as_str(), table, query);
    let frame =
        Frame { asked: &asked, max_rows: api.settings.max_rows, location, page_of: Some((projection, table, query)) };
    if let Some(tags) = known_tags(headers) {
        let is_known = |tag| tags.contains(&weak(tag).as_str());
        if let Some(unchanged) = asked.wanted.unchanged(api, &request, is_known).await? {
            return frame.unchanged(&unchanged);
        }
    }
    answer(api, &frame, request).await
}

/// Answers a request with what it asks for.
pub(super) async fn answer(api: &Api, frame: &Frame<'_>, request: ReadRequest<'_>) -> Result<Response, ReadTableError> {
    let span = query_span(request.projection.as_str(), request.table);
    frame.answer(frame.asked.wanted.read(api, request).instrument(span).await?)
}

/// The tags of the answers that the client has, of the form in which this host writes them. `*` stands for an answer of which nobody knows whether it
/// is one of this request, so it is none.
fn known_tags(headers: &HeaderMap) -> Option<Vec<&str>> {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    (!tags.is_empty()).then_some(tags)
}
