//! `GET /v1/events`

use axum::{extract::State, http::HeaderMap, response::Response};

use super::answer::{Wanted, answer};
use crate::{
    api,
    event_log::Filter,
    http::{caller::By, extract::Params, names, problem::Problem, state::Api},
};

pub(in crate::http) async fn read(
    State(api): State<Api>,
    by: By,
    Params(query): Params<api::ReadEventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let api::ReadEventsQuery { after, limit, direction, types, category, tags, upcast } = query;
    let filter = Filter {
        types: names::types(types.as_deref())?,
        categories: names::categories(category.as_deref())?,
        query: names::tagged(tags.as_deref())?,
    };
    by.check_reading(&filter.categories)?;
    answer(&api, Wanted { filter, after, limit, direction, upcast }, &headers).await
}
