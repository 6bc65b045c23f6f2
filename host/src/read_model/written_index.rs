//! Written rows in the order of an index, so that a search costs what it finds and not what was written.

use std::{collections::BTreeSet, ops::Bound};

use super::value::{Value, cells_bytes};

/// The rows of one table that batches wrote, by the values of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenIndex {
    columns: Vec<usize>,
    /// Of each row, the cells of the columns and behind them those of its key.
    entries: BTreeSet<Vec<Value>>,
    bytes: usize,
}

impl WrittenIndex {
    /// An index over columns, without rows.
    pub(super) fn new(columns: &[usize]) -> Self {
        Self { columns: columns.to_vec(), entries: BTreeSet::new(), bytes: 0 }
    }

    /// The approximate memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a row, which it must not have.
    pub(super) fn add(&mut self, key: &[Value], row: &[Value]) {
        let entry = self.entry(key, row);
        self.bytes += cells_bytes(&entry);
        self.entries.insert(entry);
    }

    /// Removes a row, which it must have.
    pub(super) fn remove(&mut self, key: &[Value], row: &[Value]) {
        let entry = self.entry(key, row);
        self.bytes -= cells_bytes(&entry);
        self.entries.remove(&entry);
    }

    /// The keys of the rows whose first columns equal the values.
    pub(super) fn keys<'i>(&'i self, values: &'i [Value]) -> impl Iterator<Item = &'i [Value]> {
        // What begins with the values follows them.
        let from = (Bound::Included(values), Bound::Unbounded);
        let entries = self.entries.range::<[Value], _>(from);
        #[cfg(test)]
        let entries = entries.inspect(|_| LOOKED_AT.set(LOOKED_AT.get() + 1));
        entries.take_while(move |entry| entry.starts_with(values)).map(|entry| &entry[self.columns.len()..])
    }

    fn entry(&self, key: &[Value], row: &[Value]) -> Vec<Value> {
        self.columns.iter().map(|&column| &row[column]).chain(key).cloned().collect()
    }
}

#[cfg(test)]
thread_local! {
    /// The entries that searches of this thread have looked at.
    pub(super) static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
