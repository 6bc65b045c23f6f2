//! The changes of a batch of events.

use std::sync::{Arc, OnceLock};

use hashbrown::{HashTable, hash_table::Entry};

use super::{
    change::Change,
    hashed_key::{HashedKey, hash_of_key, hash_of_row},
    table::{Index, Table},
    value::{ColumnType, Key, Row, Value},
    written_index::WrittenIndex,
};

/// The rows that a batch writes and deletes; of several changes to a row, the last.
#[derive(Clone, Debug)]
pub struct WriteSet {
    tables: Vec<TableWrites>,
    bytes: usize,
}

/// The part of a [`WriteSet`] for one table: the change of each key. The key of a row that is written is a part of the row, and its hash is
/// made once, however often changes are merged.
#[derive(Clone, Debug)]
pub struct TableWrites {
    table: Arc<Table>,
    changes: HashTable<Change>,
    /// For each index of the table: the rows that are written in its order, once it was searched.
    indexes: Vec<OnceLock<WrittenIndex>>,
}

impl WriteSet {
    /// A set without changes for these tables.
    #[must_use]
    pub fn new(tables: &[Arc<Table>]) -> Self {
        let tables = tables.iter().map(|table| TableWrites {
            table: Arc::clone(table),
            changes: HashTable::new(),
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
        self.tables.iter().all(|writes| writes.changes.is_empty())
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
        let hash = hash_of_row(&writes.table, &row);
        self.change(table_index, Change::written(hash, row));
    }

    /// Deletes a row of the table at an index. The key must fit the table ([`Table::check_key`]).
    pub fn delete(&mut self, table_index: usize, key: Key) {
        self.change(table_index, Change::deleted(hash_of_key(&key), key));
    }

    fn change(&mut self, table_index: usize, change: Change) {
        let writes = &mut self.tables[table_index];
        self.bytes += change.bytes(&writes.table);
        self.bytes -= writes.set(change);
    }

    /// Notes of each change whether the table has no row of its key, as `is_absent` says of a table by its index. Not of keys that earlier
    /// changes have, which may be committed now or later; a set that is merged with those has what was noted there.
    pub(crate) fn note_new(&mut self, earlier: &[Arc<Self>], is_absent: impl Fn(usize, &HashedKey) -> bool) {
        for (table_index, TableWrites { table, changes, .. }) in self.tables.iter_mut().enumerate() {
            // Two keys of the host may be one of Postgres'.
            if table.key_columns().any(|column| column.column_type == ColumnType::CiText) {
                continue;
            }
            for change in changes {
                let is_changed = |earlier: &Arc<Self>| {
                    let changes = &earlier.tables[table_index].changes;
                    changes.find(change.hash(), |other| other.is_of_row(table, change)).is_some()
                };
                let is_new = !earlier.iter().any(is_changed)
                    && is_absent(table_index, &HashedKey::hashed(change.hash(), change.key(table)));
                change.set_new(is_new);
            }
        }
    }

    /// Adds the changes of a later batch, which replace those of the same rows.
    pub fn merge(&mut self, later: Self) {
        self.bytes += later.bytes;
        for (writes, later) in self.tables.iter_mut().zip(later.tables) {
            if writes.changes.is_empty() {
                *writes = later;
            } else {
                self.bytes -= later.changes.into_iter().map(|change| writes.set(change)).sum::<usize>();
            }
        }
    }

    /// The changes of each table.
    pub(crate) fn into_changes(self) -> Vec<impl IntoIterator<Item = Change>> {
        self.tables.into_iter().map(|writes| writes.changes).collect()
    }
}

impl TableWrites {
    /// Sets the change of a row, and answers the bytes of the change that it replaces.
    fn set(&mut self, change: Change) -> usize {
        let Self { table, changes, indexes } = self;
        let entry = changes.entry(change.hash(), |other| other.is_of_row(table, &change), Change::hash);
        if indexes.iter().any(|made| made.get().is_some()) {
            let key = change.key(table);
            let before = match &entry {
                Entry::Occupied(entry) => entry.get().row(),
                Entry::Vacant(_) => None,
            };
            for made in indexes.iter_mut().filter_map(OnceLock::get_mut) {
                before.into_iter().for_each(|before| made.remove(&key, before));
                change.row().into_iter().for_each(|row| made.add(&key, row));
            }
        }
        match entry {
            Entry::Occupied(mut entry) => {
                let mut change = change;
                // Neither has been written.
                change.set_new(entry.get().is_new());
                std::mem::replace(entry.get_mut(), change).bytes(table)
            }
            Entry::Vacant(entry) => {
                entry.insert(change);
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
        if self.changes.is_empty() { None } else { self.get_by_hash(hash_of_key(key), key) }
    }

    /// The same, of a key that is hashed.
    #[must_use]
    pub fn get_hashed(&self, key: &HashedKey) -> Option<Option<&Row>> {
        self.get_by_hash(key.hash(), key.cells())
    }

    fn get_by_hash(&self, hash: u64, key: &[Value]) -> Option<Option<&Row>> {
        self.changes.find(hash, |change| change.has_key(&self.table, key)).map(Change::row)
    }

    /// Whether one of them changes a row that the other changes as well; the key of such a row.
    pub(crate) fn row_of_both(&self, other: &Self) -> Option<Key> {
        let is_here =
            |change: &&Change| self.changes.find(change.hash(), |own| own.is_of_row(&self.table, change)).is_some();
        other.changes.iter().find(is_here).map(|change| change.key(&self.table))
    }

    /// The rows that are written.
    pub fn written(&self) -> impl Iterator<Item = &Row> {
        self.changes.iter().filter_map(Change::row)
    }

    /// The rows that are written and of which it is known, or not known, that the table has none of their keys.
    pub(crate) fn written_if(&self, is_new: bool) -> impl Iterator<Item = &Row> {
        self.changes.iter().filter(move |change| change.is_new() == is_new).filter_map(Change::row)
    }

    /// The keys of the rows that are deleted.
    pub fn deleted(&self) -> impl Iterator<Item = &Key> {
        self.changes.iter().filter_map(Change::deleted_key)
    }

    /// The rows that are written whose first columns of an index of the table equal these values, and their keys. The first search by an
    /// index goes through all rows; changes keep what it makes, and later searches cost what they find.
    pub fn find<'w>(&'w self, index: &Index, values: &'w [Value]) -> impl Iterator<Item = (&'w [Value], &'w Row)> {
        // A module's search was checked against this table.
        let number = self.table.indexes().iter().position(|declared| declared.name == index.name);
        let number = number.unwrap_or_else(|| panic!("table {} has no index {}", self.table.name(), index.name));
        let made = self.indexes[number].get_or_init(|| self.written_by(index));
        made.keys(values).filter_map(|key| Some((key, self.get(key)??)))
    }

    fn written_by(&self, index: &Index) -> WrittenIndex {
        let mut made = WrittenIndex::new(index.btree());
        for row in self.written() {
            made.add(&self.table.key_of(row), row);
        }
        made
    }
}

#[cfg(test)]
#[path = "write_set_tests.rs"]
mod tests;
