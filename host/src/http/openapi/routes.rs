//! The operations of every route, as the router has them.

use super::operation::Operation;
use crate::http::{
    deployments, docs, events, health, metrics, modules, needs::Needs, outbox, personal_data, postgrest, projections,
    reactors, sinks, stats, streams, tokens, upcasters,
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

/// The same for the host of a tenant: whether it is ready tells that there is the tenant, and so is for who has a token.
pub(in crate::http) fn routes_of_tenant() -> Vec<Operation> {
    let mut routes = routes();
    for operation in &mut routes {
        if operation.path == health::READY {
            operation.needs = Needs::Token;
        }
    }
    routes
}
