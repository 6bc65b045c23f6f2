//! `POST /v1/read-models/{projection}/{table}/query`: a query that is too long for a URL.

use axum::{
    extract::{Request, State},
    http::Method,
    response::Response,
};

use super::{
    as_of::{AS_OF, AsOf},
    asked::Asked,
    location::content_location,
    past,
    past_question::PastQuestion,
    query::answer,
    refusal::{ReadTableError, to_problem},
    respond::Frame,
};
use crate::{
    api,
    http::{
        body::read_body,
        content_type::{check_charset, is_media_type, unsupported},
        extract::{NoParams, PathParams},
        json::parse_json,
        problem::Problem,
        state::Api,
    },
    queries::ReadRequest,
    read_model::{Identifier, query::MAX_POSTED_QUERY_BYTES},
};

/// How many bytes a query string has for each of the body, at most: each byte may have to be escaped.
const ESCAPED: usize = 3;

pub(in crate::http) async fn post_query(
    State(api): State<Api>,
    PathParams((projection, table)): PathParams<(Identifier, String)>,
    _: NoParams,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    if !is_media_type(&headers, "application/json") {
        return Err(unsupported(&headers, "application/json"));
    }
    check_charset(&headers)?;
    let limits = [("max_posted_query_bytes", MAX_POSTED_QUERY_BYTES), ("max_body_bytes", api.settings.max_body_bytes)];
    let [one, other] = limits;
    let (limit, max) = if other.1 < one.1 { other } else { one };
    let body = read_body(body, max as u64, limit, api.settings.work.body_timeout).await?;
    let query: api::TableQuery = parse_json(&body)?;
    let query = query.to_query_string();
    let answered: Result<Response, ReadTableError> = async {
        let (as_of, of_the_past) = AsOf::of(&headers, &query)?;
        let asked = Asked::of(&api, &projection, (&Method::POST, parts.version), &headers).await?;
        let max_query_bytes = MAX_POSTED_QUERY_BYTES * ESCAPED;
        if let Some(as_of) = as_of {
            let (projection, table, query) = (&projection, table.as_str(), of_the_past.as_str());
            let (waits, is_of_url) = (headers.contains_key(AS_OF), false);
            let question = PastQuestion { projection, table, query, max_query_bytes, as_of, waits, is_of_url };
            return past::answer(&api, &asked, &question, &headers).await;
        }
        let location = content_location(projection.as_str(), &table, &query);
        let frame = Frame { asked: &asked, max_rows: api.settings.max_rows, location, page_of: None, is_past: false };
        let request = asked.request(&api, &projection, &table, &query);
        answer(&api, &frame, ReadRequest { max_query_bytes, ..request }).await
    }
    .await;
    answered.map_err(to_problem)
}
