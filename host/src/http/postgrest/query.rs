//! `GET /v1/read-models/{projection}/{table}`

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tracing::Instrument as _;

use super::{
    accept::{content_type, negotiate},
    fields::with_own_code,
    headers::check_headers,
    next_page,
    page::Page,
    position::{POSITION, wait_for_min_position},
    refusal::{ReadTableError, with_postgrest_fields},
};
use crate::{
    http::{
        extract::PathParams, prefer::Preferences, problem::Problem, server_error::internal, state::Api,
        traces::query_span,
    },
    queries::{Answer, ReadRequest},
    read_model::{Identifier, query::Shape},
};

/// Header of answers: the build that the rows are of.
const BUILD: HeaderName = HeaderName::from_static("gnomon-build");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Header of answers: the most rows that a page of this host has. After a page with so many, there may be more.
const MAX_ROWS: HeaderName = HeaderName::from_static("gnomon-max-rows");

pub(in crate::http) async fn query(
    State(api): State<Api>,
    path: Result<PathParams<(Identifier, String)>, Problem>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let PathParams((projection, table)) = path.map_err(with_own_code)?;
    read_table(&api, &projection, &table, query.as_deref().unwrap_or_default(), &headers)
        .await
        .map_err(with_postgrest_fields)
}

async fn read_table(
    api: &Api,
    projection: &Identifier,
    table: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, ReadTableError> {
    check_headers(projection.as_str(), headers)?;
    let shape = negotiate(headers)?;
    let preferences = Preferences::from_headers(headers);
    preferences.check()?;
    wait_for_min_position(api, projection, &preferences, headers).await?;
    let request = ReadRequest {
        projection,
        table,
        query,
        shape,
        exact_count: preferences.exact_count,
        limits: &api.sending.reads,
    };
    let span = query_span(projection.as_str(), table);
    let answer = api.queries.read(request).instrument(span).await?;
    let next = answer.next.clone();
    let mut response = respond(answer, shape, &preferences)?;
    response.headers_mut().insert(MAX_ROWS, HeaderValue::from(api.settings.max_rows));
    next_page::add(response.headers_mut(), projection, table, query, next.as_deref());
    Ok(response)
}

fn respond(answer: Answer, shape: Shape, preferences: &Preferences) -> Result<Response, ReadTableError> {
    let page = Page { offset: answer.offset, rows: answer.rows, total: answer.total };
    if shape == Shape::Object {
        page.single()?;
    }
    let mut headers = HeaderMap::new();
    headers.insert(POSITION, HeaderValue::from(answer.position.0));
    headers.insert(BUILD, HeaderValue::from(u64::from(answer.build)));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(shape)));
    headers.insert(header::CONTENT_RANGE, header_value(&page.content_range())?);
    if let Some(applied) = preferences.applied() {
        headers.insert(PREFERENCE_APPLIED, header_value(&applied)?);
    }
    match page.status() {
        Ok(status) => {
            // It is known, though the pieces go out one by one.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.bytes()));
            let pieces = stream::iter(answer.body.into_pieces().into_iter().map(Ok::<_, Infallible>));
            Ok((status, headers, Body::from_stream(pieces)).into_response())
        }
        Err(error) => {
            let range = headers.remove(header::CONTENT_RANGE);
            let problem = Problem::from(error);
            Ok(match range {
                Some(range) => problem.with_header(header::CONTENT_RANGE, range),
                None => problem,
            }
            .into_response())
        }
    }
}

fn header_value(text: &str) -> Result<HeaderValue, ReadTableError> {
    HeaderValue::from_str(text).map_err(|error| ReadTableError::Other(internal(&error)))
}
