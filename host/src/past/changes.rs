//! The rows that an event changes, before and after it.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::rows::FoldedRows;
use crate::{
    read_model::{HashedKey, Row, Table, Value, WriteSet, shown_row},
    runtime::{ReadError, RowReader as _},
};

/// Rows of one event that are shown, at most, …
pub const MAX_ROWS: usize = 100;
/// … and their bytes.
const MAX_SHOWN_BYTES: usize = 1 << 20;
/// Bytes of a row as it was.
const MAX_ROW_BYTES: usize = 16 << 20;

/// A row that an event changes.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// The table.
    pub table: String,
    /// The row before the event; `None` if there was none.
    pub before: Option<Box<RawValue>>,
    /// The row after it; `None` if it is deleted.
    pub after: Option<Box<RawValue>>,
    /// The columns that have other values after it; all of them where the row is new or deleted.
    pub columns: Vec<String>,
}

impl RowChange {
    /// The bytes of what is shown.
    pub(super) fn bytes(&self) -> usize {
        [&self.before, &self.after].into_iter().flatten().map(|row| row.get().len()).sum()
    }
}

/// The rows that a write set changes, by table and key, and how many more there are. Rows that are written as they were are none.
pub(crate) fn changes(before: &mut FoldedRows, writes: WriteSet) -> Result<(Vec<RowChange>, usize), ReadError> {
    let tables: Vec<Arc<Table>> = writes.tables().iter().map(|writes| Arc::clone(writes.table())).collect();
    let (mut shown, mut bytes, mut more) = (Vec::new(), 0, 0);
    for (table, changes) in tables.iter().zip(writes.into_changes()) {
        let mut changes: Vec<(HashedKey, Option<Row>)> =
            changes.into_iter().map(|change| change.into_parts(table)).collect();
        changes.sort_unstable_by(|(one, _), (other, _)| one.cells().cmp(other.cells()));
        for (key, after) in changes {
            if shown.len() == MAX_ROWS || bytes > MAX_SHOWN_BYTES {
                more += 1;
                continue;
            }
            let found = before.get_many(table, vec![key], MAX_ROW_BYTES)?;
            let before = found.into_iter().next().flatten();
            if before == after {
                continue;
            }
            let columns = changed_columns(table, before.as_deref(), after.as_deref());
            let show = |row: Option<Row>| row.map(|row| shown_row(table, &row)).transpose();
            let change =
                RowChange { table: table.name().to_string(), before: show(before)?, after: show(after)?, columns };
            bytes += change.bytes();
            shown.push(change);
        }
    }
    Ok((shown, more))
}

fn changed_columns(table: &Table, before: Option<&[Value]>, after: Option<&[Value]>) -> Vec<String> {
    let differs = |index: usize| match (before, after) {
        (Some(before), Some(after)) => before[index] != after[index],
        _ => true,
    };
    let columns = table.columns().iter().enumerate().filter(|(index, _)| differs(*index));
    columns.map(|(_, column)| column.name.to_string()).collect()
}
