//! The calls of a projection to its host.

use crate::{Failure, schema::Value};

/// The host's side of the contract: the imports of the component, or tables in memory in tests.
///
/// A real host that refuses a call ends the module at once. That of tests returns a failure, which ends the batch at the event.
pub(crate) trait Host {
    /// Makes the event at a position the current one.
    fn turn_to(&mut self, position: u64);

    /// Rows are prefetched until an event is made the current one. Only the test kit makes a difference.
    fn prefetch(&mut self) {}

    /// The rows that have these keys, in the order of the keys.
    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<Vec<Option<Vec<Value>>>, Failure>;

    /// Writes rows.
    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Failure>;

    /// Deletes rows.
    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<(), Failure>;

    /// The rows that have these values in the first columns of the index.
    fn find(
        &mut self,
        table: &'static str,
        index: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Failure>;
}
