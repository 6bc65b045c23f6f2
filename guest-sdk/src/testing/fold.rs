//! Folds events without expectations, for tests of the SDK and of the host that compare the results.

use std::collections::BTreeMap;

use super::{
    event::{TestEvent, appended},
    run::FoldState,
    tested::{OfProjection, Tested},
};
use crate::{Projection, Tables, schema::Value};

/// The rows after a fold, and the events that could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The rows of each table, in the order of their keys.
    pub rows: BTreeMap<String, Vec<Vec<Value>>>,
    /// Positions and messages of the events that could not be handled: at most one if they are not skipped.
    pub failures: Vec<(u64, String)>,
}

/// Folds events in batches of `batch_events`, with an instance that is kept as a host keeps it. An event that cannot be handled is
/// skipped if `skip` is true, and ends the fold otherwise.
///
/// # Panics
/// The projection panics, or a host would refuse the projection or an event.
#[track_caller]
pub fn fold<P: Projection>(events: impl IntoIterator<Item = TestEvent>, batch_events: usize, skip: bool) -> Folded {
    OfProjection::<P>::check_declarations();
    let events: Vec<TestEvent> = events.into_iter().collect();
    let log = appended(&events);
    let indexes: Vec<usize> = (0..log.len()).collect();
    let mut batches: Vec<Vec<usize>> = indexes.chunks(batch_events).map(<[usize]>::to_vec).collect();
    let mut state = FoldState::new::<OfProjection<P>>(&log);
    let mut failures = Vec::new();
    while !batches.is_empty() {
        let instance = state.fold::<OfProjection<P>>(&batches).unwrap_or_else(|message| panic!("{message}"));
        let Some(failed) = instance.failed else { break };
        batches.drain(..failed.batch);
        batches[0].retain(|&event| log[event].position > failed.position);
        batches.retain(|batch| !batch.is_empty());
        failures.push((failed.position, failed.message));
        if !skip {
            break;
        }
    }
    let rows = P::Tables::schemas().into_iter().map(|schema| {
        let rows = state.tables.table(schema.name).rows.values().cloned().collect();
        (schema.name.to_owned(), rows)
    });
    Folded { rows: rows.collect(), failures }
}
