//! Event queries and append conditions of requests.

use super::events::{event_types, invalid_field, tags};
use crate::{
    api,
    event_log::{AppendCondition, EventQuery, Position, QueryItem, distinct_tags},
    http::problem::Problem,
};

/// An event query of a request; `path` is put before the names of its fields.
pub(in crate::http) fn event_query(query: api::EventQuery, path: &str) -> Result<EventQuery, Problem> {
    if query.items.is_empty() {
        let reason = "a query without items matches nothing; `{\"items\": [{}]}` matches every event";
        return Err(invalid_field(format!("{path}items"), reason));
    }
    let item = |(index, item): (usize, api::QueryItem)| query_item(item, &format!("{path}items[{index}]."));
    let items = query.items.into_iter().enumerate().map(item).collect::<Result<_, _>>()?;
    Ok(EventQuery { items })
}

fn query_item(item: api::QueryItem, path: &str) -> Result<QueryItem, Problem> {
    let api::QueryItem { types, tags: wanted } = item;
    Ok(QueryItem { types: event_types(types, path)?, tags: distinct_tags(tags(wanted, path)?) })
}

/// The condition of an append.
pub(in crate::http) fn append_condition(condition: api::AppendCondition) -> Result<AppendCondition, Problem> {
    let api::AppendCondition { fail_if_events_match, after } = condition;
    Ok(AppendCondition {
        fail_if_events_match: event_query(fail_if_events_match, "condition.fail_if_events_match.")?,
        after: after.map(Position),
    })
}
