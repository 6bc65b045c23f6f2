//! The operations of every route, as the router has them.

use super::operation::Operation;
use crate::http::{deployments, docs, events, health, metrics, modules, postgrest, projections, streams, upcasters};

/// Every operation, in the order in which readers see them.
pub(in crate::http) fn routes() -> Vec<Operation> {
    [
        streams::describe(),
        events::describe(),
        postgrest::describe(),
        projections::describe(),
        modules::describe(),
        deployments::describe(),
        upcasters::describe(),
        health::describe(),
        metrics::describe(),
        docs::describe(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
