//! One way to fold all events, from empty tables to the last row.

use serde::{Deserialize, Serialize};

use super::{
    batches::Plan,
    log,
    memory::{LateFetch, MemoryHost},
    process,
    tables::{StoredTables, Write},
};
use crate::{Projection, Rows, Tables, batch, event::RawEvent};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All events were handled.
    Rows(StoredTables),
    /// One could not be.
    Failed { position: u64, message: String },
}

/// What a run brought to light.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    pub(super) lines: Vec<String>,
    pub(super) late: Vec<LateFetch>,
}

/// What came out of one life.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Life {
    writes: Vec<Write>,
    failed: Option<(u64, String)>,
    lines: Vec<String>,
    late: Vec<LateFetch>,
}

/// # Panics
/// The projection does.
#[track_caller]
pub(super) fn run<P: Projection>(plan: &Plan, events: &[RawEvent]) -> Run {
    let mut tables = StoredTables::new(P::Tables::schemas());
    let (mut lines, mut late) = (Vec::new(), Vec::new());
    // Generous: a slow test is better than one that fails on a busy machine.
    let seconds = u32::try_from(events.len() / 1_000).unwrap_or(u32::MAX).saturating_add(60);
    for batches in plan.lives() {
        let life = match process::apart(seconds, || live::<P>(&tables, &batches, events)) {
            Ok(life) => life,
            Err(crash) => {
                let place = crash.position.and_then(|position| described(events, position));
                let place = place.unwrap_or_else(|| "one of the events".to_owned());
                panic!("{place} stopped the projection: {} ({plan})", crash.message);
            }
        };
        lines.extend(life.lines);
        late.extend(life.late);
        if let Some((position, message)) = life.failed {
            return Run { outcome: Outcome::Failed { position, message }, lines, late };
        }
        life.writes.iter().for_each(|write| tables.apply(write));
    }
    Run { outcome: Outcome::Rows(tables), lines, late }
}

/// `event 3 (MoneyDeposited of account-1)`
pub(super) fn described(events: &[RawEvent], position: u64) -> Option<String> {
    let event = events.iter().find(|event| event.position == position)?;
    Some(format!("event {position} ({} of {})", event.event_type, event.stream))
}

/// Handles batches with one memory.
fn live<P: Projection>(tables: &StoredTables, batches: &[Vec<usize>], events: &[RawEvent]) -> Life {
    let host = MemoryHost::new(tables.clone());
    let mut rows = Rows::new::<P::Tables>(Box::new(host.clone()));
    let (failed, lines) = log::collect(|| {
        batches.iter().find_map(|batch| {
            let batch = batch.iter().map(|&event| events[event].clone()).collect();
            host.start_batch();
            batch::handle::<P>(&mut rows, batch).err()
        })
    });
    let failed = failed.map(|failure| (failure.position, failure.message));
    let (writes, late) = host.finish();
    Life { writes, failed, lines, late }
}
