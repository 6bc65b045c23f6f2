//! Event queries, and the conditions of appends that are made of them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    objects::{object, objects},
    page::{After, Direction},
};

/// Selects events: those that match one of its items, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// The alternatives, at least one. The item `{}` matches every event.
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1)]
    pub items: Vec<QueryItem>,
}

/// An alternative of an event query: events that are of one of the types and have all of the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryItem {
    /// The types; if there is none, events of any type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// The tags; if there is none, events with any tags or without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What must not be in the log for an append: it fails if an event that matches the query stands after the position.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendCondition {
    /// The events that must not be there.
    #[serde(deserialize_with = "object")]
    pub fail_if_events_match: EventQuery,
    /// The position up to which the writer has read what the query finds; if it is left out, no event of the log may match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// The parameters of `POST /v1/events/query`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct QueryEventsQuery {
    /// The page begins after this position.
    pub after: Option<After>,
    /// The most events that the page may have.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
    /// The order.
    #[serde(default)]
    pub direction: Direction,
    /// Whether to answer with the events that the active upcasters make of them.
    #[serde(default)]
    pub upcast: bool,
}
