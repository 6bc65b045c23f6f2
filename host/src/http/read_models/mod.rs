//! `GET /v1/read-models/{projection}/{table}`, as PostgREST answers it.

use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    errors::internal,
    extract::PathParams,
    problem::{Code, Problem},
    state::Api,
};
use crate::{
    event_log::Position,
    queries::{Answer, ReadError, ReadRequest},
    read_model::{
        Identifier,
        query::{Page, Preferences, QueryError, Shape, check_headers},
    },
};

/// The answer holds the effect of every event up to this position.
const POSITION: HeaderName = HeaderName::from_static("gnomon-position");
/// The reader wants the effect of every event up to this position.
const MIN_POSITION: &str = "gnomon-min-position";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Rows that a page of this host has at most: one that has so many may have others behind it.
const MAX_ROWS: HeaderName = HeaderName::from_static("gnomon-max-rows");
/// How long a reader waits for a position if it does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn query(
    State(api): State<Api>,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&api, &projection, &table, query.as_deref().unwrap_or_default(), &headers).await.map_err(in_postgrests_words)
}

async fn answer(
    api: &Api,
    projection: &Identifier,
    table: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    check_headers(projection.as_str(), |name| Some(String::from_utf8_lossy(headers.get(name)?.as_bytes())))?;
    let shape = Shape::negotiate(accepted(headers).as_deref())?;
    let preferences = Preferences::parse(headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()));
    preferences.check()?;
    if let Some(position) = min_position(headers)? {
        let wait = preferences.wait.map_or(DEFAULT_WAIT, |seconds| Duration::from_secs(seconds.into()));
        api.queries.wait_for(projection, position, wait.min(api.settings.max_wait)).await?;
    }
    let request = ReadRequest {
        projection,
        table,
        query,
        shape,
        exact_count: preferences.exact_count,
        max_rows: api.settings.max_rows,
    };
    let answer = api.queries.read(request).await?;
    let mut response = respond(answer, shape, &preferences)?;
    response.headers_mut().insert(MAX_ROWS, HeaderValue::from(api.settings.max_rows));
    Ok(response)
}

fn respond(answer: Answer, shape: Shape, preferences: &Preferences) -> Result<Response, Refusal> {
    let page = Page { offset: answer.offset, rows: answer.rows, total: answer.total };
    if shape == Shape::Object {
        page.single()?;
    }
    let mut headers = HeaderMap::new();
    headers.insert(POSITION, HeaderValue::from(answer.position.0));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(shape.content_type()));
    headers.insert(header::CONTENT_RANGE, header_value(&page.content_range())?);
    if let Some(applied) = preferences.applied() {
        headers.insert(PREFERENCE_APPLIED, header_value(&applied)?);
    }
    match page.status() {
        Ok(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            Ok((status, headers, answer.body).into_response())
        }
        Err(error) => {
            let range = headers.remove(header::CONTENT_RANGE);
            let problem = Problem::of_query(&error);
            Ok(match range {
                Some(range) => problem.with_header(header::CONTENT_RANGE, range),
                None => problem,
            }
            .into_response())
        }
    }
}

/// Why there is no answer: PostgREST has words for some of it.
enum Refusal {
    Query(QueryError),
    Read(ReadError),
    Other(Problem),
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Every problem here bears the fields that PostgREST's clients read.
fn in_postgrests_words(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Query(error) | Refusal::Read(ReadError::Query(error)) => Problem::of_query(&error),
        Refusal::Read(error @ (ReadError::NoProjection(_) | ReadError::NoTable { .. })) => {
            // PostgREST's code for a table that it does not know.
            Problem::from(error).with_postgrest("PGRST205", None, None)
        }
        Refusal::Read(error) => Problem::from(error).with_postgrest_message(),
        Refusal::Other(problem) => problem.with_postgrest_message(),
    }
}

fn min_position(headers: &HeaderMap) -> Result<Option<Position>, Refusal> {
    let Some(value) = headers.get(MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(|position| Some(Position(position))).ok_or_else(|| {
        let detail = format!("Gnomon-Min-Position must be a position of the log; it is {value:?}");
        Refusal::Other(Problem::new(Code::InvalidHeader, detail))
    })
}

/// The header `Accept`, which may be there several times.
fn accepted(headers: &HeaderMap) -> Option<String> {
    let accepted: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!accepted.is_empty()).then(|| accepted.join(","))
}

fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text).map_err(|error| Refusal::Other(internal(&error)))
}
