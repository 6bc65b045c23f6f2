//! What runs a module on a batch.

use super::rows::BatchRows;
use crate::{
    read_model::WriteSet,
    runtime::{BatchError, Delivery, HostMemory},
};

/// What a batch changes, and what its events are answered with, in their order.
pub(crate) type Made<A> = (WriteSet, Vec<A>);

/// Runs a module on batches, and keeps what makes the next batch faster.
pub(crate) trait BatchFolder {
    /// What the module answers an event with, beside the rows that it changes.
    type Answer;

    /// Whether more is read of the log than the module wants. What upcasters make is looked at in any case.
    const READS_MORE: bool;

    /// Whether the module wants an event, as upcasters have left it.
    fn wants(&self, event: &Delivery) -> bool;

    /// Folds events, at least one. Blocks.
    ///
    /// # Errors
    /// As [`Self::run_alone`].
    fn run(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Self::Answer>, BatchError>;

    /// Folds events, at least one, by one instance. Blocks.
    ///
    /// # Errors
    /// The module fails at an event, or there is a failure that is not its fault.
    fn run_alone(&mut self, events: &[&Delivery], rows: BatchRows) -> Result<Made<Self::Answer>, BatchError>;

    /// Gives up memory that is only kept to make the next batch faster.
    fn free_memory(&mut self);

    /// The memory that the module shares with all others of the host.
    fn memory(&self) -> &HostMemory;
}
