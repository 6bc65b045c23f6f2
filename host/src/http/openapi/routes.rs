//! The operations of every route, as the router has them.

use super::operation::Operation;
use crate::http::{
    deployments, docs, events, health, metrics, modules, outbox, personal_data, postgrest, projections, reactors,
    sinks, stats, streams, tokens, upcasters,
};

/// Every operation, in the order in which readers see them.
pub(in crate::http) fn routes() -> Vec<Operation> {
    [
        streams::describe(),
        events::describe(),
        stats::describe(),
        postgrest::describe(),
        projections::describe(),
        reactors::describe(),
        modules::describe(),
        deployments::describe(),
        upcasters::describe(),
        personal_data::describe(),
        sinks::describe(),
        outbox::describe(),
        tokens::describe(),
        health::describe(),
        metrics::describe(),
        docs::describe(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
