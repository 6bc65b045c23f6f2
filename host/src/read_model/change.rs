//! The change of one row.

use gnomon_values::cells;

use super::{
    hashed_key::HashedKey,
    table::Table,
    value::{Key, Row, Value, cells_bytes},
};

/// The change of one row of a table, with the hash of its key: it is the same wherever the change goes, so it is made once.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    hash: u64,
    changed: Changed,
    /// Whether the table is known to have no row of this key, so that the row need not be looked for when it is written.
    is_new: bool,
}

#[derive(Clone, Debug)]
enum Changed {
    /// The row has its key.
    Written(Row),
    Deleted(Key),
}

impl Change {
    pub(super) fn written(hash: u64, row: Row) -> Self {
        Self { hash, changed: Changed::Written(row), is_new: false }
    }

    pub(super) fn deleted(hash: u64, key: Key) -> Self {
        Self { hash, changed: Changed::Deleted(key), is_new: false }
    }

    /// The hash of its key, as [`HashedKey`] has it.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether the table is known to have no row of this key.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    pub(super) fn set_new(&mut self, is_new: bool) {
        self.is_new = is_new;
    }

    /// The row that is written; `None` if it is deleted.
    pub(super) fn row(&self) -> Option<&Row> {
        match &self.changed {
            Changed::Written(row) => Some(row),
            Changed::Deleted(_) => None,
        }
    }

    /// The key of the row that is deleted; `None` if it is written.
    pub(super) fn deleted_key(&self) -> Option<&Key> {
        match &self.changed {
            Changed::Written(_) => None,
            Changed::Deleted(key) => Some(key),
        }
    }

    /// The key of the row.
    pub(super) fn key(&self, table: &Table) -> Key {
        match &self.changed {
            Changed::Written(row) => table.key_of(row),
            Changed::Deleted(key) => key.clone(),
        }
    }

    /// The key, and the row that is written; `None` if it is deleted.
    pub(crate) fn into_parts(self, table: &Table) -> (HashedKey, Option<Row>) {
        let (key, row) = match self.changed {
            Changed::Written(row) => (table.key_of(&row), Some(row)),
            Changed::Deleted(key) => (key, None),
        };
        (HashedKey::hashed(self.hash, key), row)
    }

    /// Whether it is the change of the row that has this key.
    pub(super) fn has_key(&self, table: &Table, key: &[Value]) -> bool {
        self.key_cells(table).eq(key)
    }

    /// Whether it is a change of the same row as another.
    pub(super) fn is_of_row(&self, table: &Table, other: &Self) -> bool {
        self.hash == other.hash && self.key_cells(table).eq(other.key_cells(table))
    }

    /// The approximate memory that it takes, in bytes: the key counts beside the row, as the test kit of the SDK counts it.
    pub(super) fn bytes(&self, table: &Table) -> usize {
        let key = cells::memory_bytes(self.key_cells(table).map(Value::heap_bytes));
        key + self.row().map_or(0, |row| cells_bytes(row))
    }

    fn key_cells<'c>(&'c self, table: &'c Table) -> impl Iterator<Item = &'c Value> {
        (0..table.key().len()).map(|number| match &self.changed {
            Changed::Written(row) => &row[table.key()[number]],
            Changed::Deleted(key) => &key[number],
        })
    }
}
