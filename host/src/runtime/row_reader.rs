//! Reads the rows that a module asks for.

use std::sync::Arc;

use super::failure::ReadError;
use crate::read_model::{HashedKey, Index, Row, Table, TableWrites, Value};

/// Reads rows of a projection's tables, in their state before a batch. Its calls may block.
pub trait RowReader: Send {
    /// The rows that have these keys, in the order of the keys.
    ///
    /// # Errors
    /// [`RowsTooLarge`](crate::read_model::RowsTooLarge) if they take more than `max_bytes`, which is the module's fault. With any
    /// other error, the batch ends and is tried again.
    fn get_many(
        &mut self,
        table: &Arc<Table>,
        keys: Vec<HashedKey>,
        max_bytes: usize,
    ) -> Result<Vec<Option<Row>>, ReadError>;

    /// The rows whose first columns of the index equal the values, without those that the batch has `changed`: at most `limit`, in any order.
    ///
    /// # Errors
    /// [`RowsTooLarge`](crate::read_model::RowsTooLarge) if they take more than `max_bytes`, which is the module's fault. With any
    /// other error, the batch ends and is tried again.
    fn find(
        &mut self,
        index: &Index,
        values: &[Value],
        changed: &TableWrites,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError>;
}
