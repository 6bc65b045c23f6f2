//! Folding batches of the log: running a module on them, finding the event that it fails at, and what happens then.
//!
//! This room does not know what is folded, nor who commits it: builds of projections, or the rows and answers of reactors.

mod batch_folder;
#[cfg(test)]
mod fault_point;
mod fold;
mod fold_size;
mod handling;
mod kept_rows;
mod made_indexes;
mod rate;
mod rows;
mod search;
mod threads;

pub(crate) use self::{
    batch_folder::{BatchFolder, Made},
    fold::{Folded, ModuleRunner},
    fold_size::{FoldClock, FoldSize},
    handling::{FailedEvent, FailureHandling},
    kept_rows::{KeptRows, RowMemory},
    rate::Rate,
    rows::BatchRows,
    threads::{FoldingThreads, MAX_FOLDING_THREADS},
};
#[cfg(test)]
pub(crate) use self::{fault_point::FaultPoint, made_indexes::MadeIndexes};
