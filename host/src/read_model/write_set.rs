//! The changes of a batch of events.

use std::sync::{Arc, OnceLock};

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    table::{Index, Table},
    value::{Key, Row, Value, cells_bytes},
    written_index::WrittenIndex,
};

/// The rows that a batch writes and deletes; of several changes to a row, the last.
#[derive(Clone, Debug)]
pub struct WriteSet {
    tables: Vec<TableWrites>,
    bytes: usize,
}

/// The part of a [`WriteSet`] for one table: a row for each key, or `None` if the row is deleted.
#[derive(Clone, Debug)]
pub struct TableWrites {
    table: Arc<Table>,
    rows: HashMap<Key, Option<Row>>,
    /// For each index of the table: the rows that are written in its order, once it was searched.
    indexes: Vec<OnceLock<WrittenIndex>>,
}

impl WriteSet {
    /// A set without changes for these tables.
    #[must_use]
    pub fn new(tables: &[Arc<Table>]) -> Self {
        let tables = tables.iter().map(|table| TableWrites {
            table: Arc::clone(table),
            rows: HashMap::new(),
            indexes: vec![OnceLock::new(); table.indexes().len()],
        });
        Self { tables: tables.collect(), bytes: 0 }
    }

    /// The tables with their changes.
    #[must_use]
    pub fn tables(&self) -> &[TableWrites] {
        &self.tables
    }

    /// The index of the table of this name in [`Self::tables`].
    #[must_use]
    pub fn table_index(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|writes| writes.table.name().as_str() == table)
    }

    /// Whether it changes no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|writes| writes.rows.is_empty())
    }

    /// The approximate memory that the changes take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same, with what searches by indexes have added.
    #[must_use]
    pub fn memory(&self) -> usize {
        let made = self.tables.iter().flat_map(|writes| &writes.indexes).filter_map(OnceLock::get);
        self.bytes + made.map(WrittenIndex::bytes).sum::<usize>()
    }

    /// Writes a row into the table at an index. The row must fit the table ([`Table::check_row`]).
    pub fn put(&mut self, table_index: usize, row: Row) {
        let writes = &mut self.tables[table_index];
        let key = writes.table.key_of(&row);
        self.bytes += change_bytes(&key, Some(&row));
        self.bytes -= writes.set(key, Some(row));
    }

    /// Deletes a row of the table at an index. The key must fit the table ([`Table::check_key`]).
    pub fn delete(&mut self, table_index: usize, key: Key) {
        self.bytes += change_bytes(&key, None);
        self.bytes -= self.tables[table_index].set(key, None);
    }

    /// Adds the changes of a later batch, which replace those of the same rows.
    pub fn merge(&mut self, later: Self) {
        self.bytes += later.bytes;
        for (writes, later) in self.tables.iter_mut().zip(later.tables) {
            if writes.rows.is_empty() {
                *writes = later;
            } else {
                self.bytes -= later.rows.into_iter().map(|(key, row)| writes.set(key, row)).sum::<usize>();
            }
        }
    }

    /// The changes of each table: a row for each key, or `None` if the row is deleted.
    pub fn into_changes(self) -> Vec<impl IntoIterator<Item = (Key, Option<Row>)>> {
        self.tables.into_iter().map(|writes| writes.rows).collect()
    }
}

/// The approximate memory of one change, in bytes.
fn change_bytes(key: &[Value], row: Option<&Row>) -> usize {
    cells_bytes(key) + row.map_or(0, |row| cells_bytes(row))
}

impl TableWrites {
    /// Sets the change of the row that has this key, and answers the bytes of the change that it replaces.
    fn set(&mut self, key: Key, row: Option<Row>) -> usize {
        for made in self.indexes.iter_mut().filter_map(OnceLock::get_mut) {
            if let Some(Some(before)) = self.rows.get(&key) {
                made.remove(&key, before);
            }
            if let Some(row) = &row {
                made.add(&key, row);
            }
        }
        match self.rows.entry(key) {
            Entry::Occupied(mut entry) => {
                let before = change_bytes(entry.key(), entry.get().as_ref());
                entry.insert(row);
                before
            }
            Entry::Vacant(entry) => {
                entry.insert(row);
                0
            }
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The change of the row that has this key: `Some(None)` if it is deleted, `None` if it is unchanged.
    #[must_use]
    pub fn get(&self, key: &[Value]) -> Option<Option<&Row>> {
        self.rows.get(key).map(Option::as_ref)
    }

    /// The rows that are written.
    pub fn written(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().flatten()
    }

    /// The keys of all rows that are written or deleted.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.keys()
    }

    /// The keys of the rows that are deleted.
    pub fn deleted(&self) -> impl Iterator<Item = &Key> {
        self.rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key)
    }

    /// The rows that are written whose first columns of an index of the table equal these values, and their keys. The first search by an
    /// index goes through all rows; changes keep what it makes, and later searches cost what they find.
    pub fn find<'w>(&'w self, index: &Index, values: &'w [Value]) -> impl Iterator<Item = (&'w [Value], &'w Row)> {
        // A module's search was checked against this table.
        let number = self.table.indexes().iter().position(|declared| declared.name == index.name);
        let number = number.unwrap_or_else(|| panic!("table {} has no index {}", self.table.name(), index.name));
        let made = self.indexes[number].get_or_init(|| self.written_by(index));
        made.keys(values).filter_map(|key| Some((key, self.rows.get(key)?.as_ref()?)))
    }

    fn written_by(&self, index: &Index) -> WrittenIndex {
        let mut made = WrittenIndex::new(index.btree());
        for (key, row) in &self.rows {
            if let Some(row) = row {
                made.add(key, row);
            }
        }
        made
    }
}

#[cfg(test)]
#[path = "write_set_tests.rs"]
mod tests;
