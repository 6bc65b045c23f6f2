//! `POST /v1/events/query`: what `GET /v1/events` does, for the events that match an event query.

use axum::{extract::State, http::HeaderMap, response::Response};

use super::answer::{Wanted, answer};
use crate::{
    api,
    event_log::Filter,
    http::{
        convert::event_query,
        extract::{JsonBody, Params},
        problem::Problem,
        state::Api,
    },
};

pub(in crate::http) async fn query(
    State(api): State<Api>,
    Params(params): Params<api::QueryEventsQuery>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<api::EventQuery>,
) -> Result<Response, Problem> {
    let api::QueryEventsQuery { after, limit, direction, upcast } = params;
    let filter = Filter { query: Some(event_query(body, "")?), ..Filter::default() };
    answer(&api, Wanted { filter, after, limit, direction, upcast }, &headers).await
}
