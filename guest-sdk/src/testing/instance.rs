//! Runs one instance of a module, with memory of its own, on several batches.

use serde::{Deserialize, Serialize};

use super::{
    log,
    memory::{LateFetch, MemoryHost},
    process::{self, Crash},
    tables::{StoredTables, Write},
    tested::Tested,
};
use crate::{Rows, event::RawEvent, reactor::answers::Answer};

/// The result of an instance.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InstanceRun {
    /// The writes of all batches that did not fail.
    pub(super) writes: Vec<Write>,
    /// The effects of their events.
    pub(super) answers: Vec<Answer>,
    /// The batch that failed, which ended the instance.
    pub(super) failed: Option<Failed>,
    /// The lines that it logged.
    pub(super) lines: Vec<String>,
    pub(super) late: Vec<LateFetch>,
}

/// A batch that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    /// The index of the batch.
    pub(super) batch: usize,
    /// The position of the current event.
    pub(super) position: u64,
    pub(super) message: String,
    /// Whether the host refused a call. The cause may then be an earlier event, whose rows are written at the end of the batch, or
    /// the size of the batch as a whole.
    pub(super) was_refused: bool,
}

/// Handles batches with one new instance.
///
/// # Errors
/// The module panicked, or its process ended or was killed by the timeout.
pub(super) fn run_instance<M: Tested>(
    tables: &StoredTables,
    batches: &[Vec<usize>],
    events: &[RawEvent],
) -> Result<InstanceRun, Crash> {
    // A long timeout, so that tests do not fail on a busy machine.
    let seconds = u32::try_from(events.len() / 1_000).unwrap_or(u32::MAX).saturating_add(60);
    process::in_fresh_memory(seconds, || {
        let host = MemoryHost::new(tables.clone());
        let mut rows = Rows::new::<M::Tables>(Box::new(host.clone()));
        let mut answers = Vec::new();
        let (failed, lines) = log::collect(|| {
            batches.iter().enumerate().find_map(|(number, batch)| {
                let batch = batch.iter().map(|&event| events[event].clone());
                let start = host.start_batch();
                let failure = match M::handle(&mut rows, batch) {
                    Ok(more) => {
                        answers.extend(more);
                        return None;
                    }
                    Err(failure) => failure,
                };
                let was_refused = host.abandon(start);
                Some(Failed { batch: number, position: failure.position, message: failure.message, was_refused })
            })
        });
        let (writes, late) = host.finish();
        InstanceRun { writes, answers, failed, lines, late }
    })
}
