//! `GET /v1/read-models/{projection}/{table}`

use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{
    accept::{content_type, negotiate},
    error::PostgrestError,
    fields::{with_code, with_own_code},
    headers::check_headers,
    page::Page,
};
use crate::{
    event_log::Position,
    http::{
        extract::PathParams,
        prefer::{PreferenceError, Preferences},
        problem::{Code, Problem},
        server_error::internal,
        state::Api,
    },
    queries::{Answer, ReadError, ReadRequest},
    read_model::{Identifier, query::Shape},
};

/// Header of answers: they hold the effect of every event up to this position.
const POSITION: HeaderName = HeaderName::from_static("gnomon-position");
/// Header of requests: the answer is to hold the effect of every event up to this position.
const MIN_POSITION: &str = "gnomon-min-position";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Header of answers: the most rows that a page of this host has. After a page with so many, there may be more.
const MAX_ROWS: HeaderName = HeaderName::from_static("gnomon-max-rows");
/// How long the host waits for that position if the client does not say.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

pub(in crate::http) async fn query(
    State(api): State<Api>,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
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
    if let Some(position) = min_position(headers)? {
        let wait = preferences.wait(DEFAULT_WAIT, api.settings.max_wait);
        api.queries.wait_for(projection, position, wait).await?;
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

fn respond(answer: Answer, shape: Shape, preferences: &Preferences) -> Result<Response, ReadTableError> {
    let page = Page { offset: answer.offset, rows: answer.rows, total: answer.total };
    if shape == Shape::Object {
        page.single()?;
    }
    let mut headers = HeaderMap::new();
    headers.insert(POSITION, HeaderValue::from(answer.position.0));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(shape)));
    headers.insert(header::CONTENT_RANGE, header_value(&page.content_range())?);
    if let Some(applied) = preferences.applied() {
        headers.insert(PREFERENCE_APPLIED, header_value(&applied)?);
    }
    match page.status() {
        Ok(status) => Ok((status, headers, answer.body).into_response()),
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

/// Why a table is not read. PostgREST has codes of its own for some of the errors.
enum ReadTableError {
    Postgrest(PostgrestError),
    Read(ReadError),
    Other(Problem),
}

impl From<PostgrestError> for ReadTableError {
    fn from(error: PostgrestError) -> Self {
        Self::Postgrest(error)
    }
}

impl From<PreferenceError> for ReadTableError {
    fn from(error: PreferenceError) -> Self {
        Self::Postgrest(error.into())
    }
}

impl From<ReadError> for ReadTableError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Adds the fields that PostgREST's clients read.
fn with_postgrest_fields(refusal: ReadTableError) -> Problem {
    match refusal {
        ReadTableError::Postgrest(error) => error.into(),
        // It has them already.
        ReadTableError::Read(error @ ReadError::Query(_)) => error.into(),
        ReadTableError::Read(error @ (ReadError::NoProjection(_) | ReadError::NoTable { .. })) => {
            // PostgREST's code for an unknown table.
            with_code(error.into(), "PGRST205", None, None)
        }
        ReadTableError::Read(error) => with_own_code(error.into()),
        ReadTableError::Other(problem) => with_own_code(problem),
    }
}

fn min_position(headers: &HeaderMap) -> Result<Option<Position>, ReadTableError> {
    let Some(value) = headers.get(MIN_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position.map(|position| Some(Position(position))).ok_or_else(|| {
        let detail = format!("Gnomon-Min-Position must be a position of the log; it is {value:?}");
        ReadTableError::Other(Problem::new(Code::InvalidHeader, detail))
    })
}

fn header_value(text: &str) -> Result<HeaderValue, ReadTableError> {
    HeaderValue::from_str(text).map_err(|error| ReadTableError::Other(internal(&error)))
}
