//! Keys of rows with their hashes, which are the same in all of a process: so a key is hashed once, and its hash goes along with it.

use std::{
    hash::{BuildHasher as _, Hash, Hasher},
    sync::LazyLock,
};

use hashbrown::DefaultHashBuilder;

use super::{
    table::Table,
    value::{Key, Value},
};

/// Another one in each process, so that nobody can choose keys that have one hash.
static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// The key of a row, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedKey {
    hash: u64,
    cells: Key,
}

impl HashedKey {
    /// Hashes a key.
    #[must_use]
    pub fn new(cells: Key) -> Self {
        Self { hash: hash_of_key(&cells), cells }
    }

    /// A key whose hash is known.
    pub(crate) fn hashed(hash: u64, cells: Key) -> Self {
        Self { hash, cells }
    }

    /// The hash. Equal keys have equal hashes.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The key.
    #[must_use]
    pub fn cells(&self) -> &Key {
        &self.cells
    }

    /// The key alone.
    #[must_use]
    pub fn into_cells(self) -> Key {
        self.cells
    }
}

/// Its own hash stands for its cells.
impl Hash for HashedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The hash of a key.
pub(super) fn hash_of_key(key: &[Value]) -> u64 {
    hash(key.iter())
}

/// The hash of the key that a row of the table has.
pub(super) fn hash_of_row(table: &Table, row: &[Value]) -> u64 {
    hash(table.key().iter().map(|&column| &row[column]))
}

fn hash<'c>(cells: impl Iterator<Item = &'c Value>) -> u64 {
    let mut hasher = HASHER.build_hasher();
    cells.for_each(|cell| Hash::hash(cell, &mut hasher));
    hasher.finish()
}
