//! One memory of a projection, and the batches that it sees.

use serde::{Deserialize, Serialize};

use super::{
    log,
    memory::{LateFetch, MemoryHost},
    process::{self, Crash},
    tables::{StoredTables, Write},
};
use crate::{Projection, Rows, batch, event::RawEvent};

/// What a instance has done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InstanceRun {
    /// What the batches before a failure wrote.
    pub(super) writes: Vec<Write>,
    /// Why it ended early.
    pub(super) failed: Option<Failed>,
    pub(super) lines: Vec<String>,
    pub(super) late: Vec<LateFetch>,
}

/// A batch that was not folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    /// Which of the batches it is.
    pub(super) batch: usize,
    pub(super) position: u64,
    pub(super) message: String,
    /// Whether the host refused a call. It may have seen only at the end of the batch what an event before did, or the batch
    /// may be too large as a whole.
    pub(super) was_refused: bool,
}

/// Folds batches with fresh memory that is kept from one to the next.
///
/// # Errors
/// The projection panicked or did not come back.
pub(super) fn run_instance<P: Projection>(
    tables: &StoredTables,
    batches: &[Vec<usize>],
    events: &[RawEvent],
) -> Result<InstanceRun, Crash> {
    // Generous: a slow test is better than one that fails on a busy machine.
    let seconds = u32::try_from(events.len() / 1_000).unwrap_or(u32::MAX).saturating_add(60);
    process::in_fresh_memory(seconds, || {
        let host = MemoryHost::new(tables.clone());
        let mut rows = Rows::new::<P::Tables>(Box::new(host.clone()));
        let (failed, lines) = log::collect(|| {
            batches.iter().enumerate().find_map(|(number, batch)| {
                let batch = batch.iter().map(|&event| events[event].clone()).collect();
                let start = host.start_batch();
                let failure = batch::handle::<P>(&mut rows, batch).err()?;
                let was_refused = host.abandon(start);
                Some(Failed { batch: number, position: failure.position, message: failure.message, was_refused })
            })
        });
        let (writes, late) = host.finish();
        InstanceRun { writes, failed, lines, late }
    })
}
