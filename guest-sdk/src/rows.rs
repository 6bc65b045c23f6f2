//! The rows of a projection, which `handle` reads and writes.

mod asked;
mod prefetch;
mod row_cache;
mod table_cache;

use std::fmt;

pub use self::prefetch::Prefetch;
pub(crate) use self::row_cache::CachedTable;
use self::row_cache::RowCache;
use crate::{
    Failure, current_event,
    host::Host,
    schema::{IntoKey, Key},
    table::{Find, Table},
    tables::Tables,
};

/// The bytes that cached rows may take between batches: well below the default limit of a module's memory, since a module that
/// exceeds that fails.
const MAX_CACHED_BYTES: usize = 64 << 20;

/// The rows of a projection's tables, as the events before the current one have left them.
///
/// Rows that were read or written are cached in the module's memory, and changes are written to the host once per batch. So it is
/// cheap to read the same row at every event. If an event fails, nothing of its batch is kept.
///
/// A key is a value, or a tuple for a table with several `#[key]` columns; see [`Table::Key`]. References do as well: `&carrier` is the
/// key of a `String`, see [`IntoKey`].
///
/// All methods panic if `T` is not among the [`Tables`](crate::Projection::Tables) of the projection.
pub struct Rows {
    cache: RowCache,
    host: Box<dyn Host>,
    /// The first failure of a read. It fails the current event when `handle` returns, so that reading a row does not return a
    /// `Result` that is almost never an error.
    read_failure: Option<Failure>,
}

impl Rows {
    pub(crate) fn new<T: Tables>(host: Box<dyn Host>) -> Self {
        Self { cache: RowCache { tables: T::caches(), batch: 0 }, host, read_failure: None }
    }

    /// The row that has this key.
    #[track_caller]
    pub fn get<'k, T: Table>(&mut self, key: impl IntoKey<T::Key<'k>>) -> Option<&T> {
        let slot = self.load::<T>(&key.into_key());
        self.cache.table().row(slot)
    }

    /// The row that has this key, to be changed. It is written even if it stays the same, so use [`get`](Self::get) to read
    /// only. Changing a column of the key is a failure.
    #[track_caller]
    pub fn get_mut<'k, T: Table>(&mut self, key: impl IntoKey<T::Key<'k>>) -> Option<&mut T> {
        let slot = self.load::<T>(&key.into_key());
        self.cache.table().row_mut(slot)
    }

    /// The row that has this key, to be changed; a new one if there is none.
    #[track_caller]
    pub fn get_or_insert_with<'k, T: Table>(
        &mut self,
        key: impl IntoKey<T::Key<'k>>,
        new: impl FnOnce() -> T,
    ) -> &mut T {
        let slot = self.load::<T>(&key.into_key());
        self.cache.table().row_or_insert_with(slot, new)
    }

    /// Writes a row, replacing the one that has its key.
    #[track_caller]
    pub fn put<T: Table>(&mut self, row: T) {
        let batch = self.cache.batch;
        self.cache.table().put(row, batch);
    }

    /// Deletes the row that has this key, if there is one.
    #[track_caller]
    pub fn delete<'k, T: Table>(&mut self, key: impl IntoKey<T::Key<'k>>) {
        let key = key.into_key();
        self.check::<T>(&key);
        let batch = self.cache.batch;
        if let Err(failure) = self.cache.table::<T>().delete(&key, batch) {
            self.read_failure.get_or_insert(failure);
        }
    }

    /// The rows that have given values in the columns of an index, in the order of their keys:
    /// `rows.find(Account::by_owner("ann"))`.
    ///
    /// Each call queries the database, and writes earlier changes first, so it is far more expensive than [`get`](Self::get).
    #[track_caller]
    pub fn find<T: Table>(&mut self, find: Find<T>) -> Vec<T> {
        if self.read_failure.is_some() {
            // The event has failed already. Writing its changes would make the host fail it with another message.
            return Vec::new();
        }
        let batch = self.cache.batch;
        let found = self.cache.table::<T>().find(find, self.host.as_mut(), batch);
        found.unwrap_or_else(|failure| {
            self.read_failure.get_or_insert(failure);
            Vec::new()
        })
    }

    /// The slot of the row that has this key. Fetches the row if it is not cached.
    #[track_caller]
    fn load<T: Table>(&mut self, key: &T::Key<'_>) -> usize {
        self.check::<T>(key);
        let batch = self.cache.batch;
        let rows = self.cache.table::<T>();
        let slot = rows.slot(key, batch);
        if self.read_failure.is_none()
            && !rows.is_known(slot)
            && let Err(failure) = rows.check(slot).and_then(|()| rows.fetch(&[slot], self.host.as_mut()))
        {
            self.read_failure.get_or_insert(failure);
        }
        slot
    }

    /// Fails the event if no column can hold this key. Checked at each call: a valid key, whose row may be cached, can have the
    /// same cells.
    fn check<T: Table>(&mut self, key: &T::Key<'_>) {
        if let Err(failure) = key.check() {
            self.read_failure.get_or_insert(Failure::new(format!("a key of `{}`: {failure}", T::SCHEMA.name)));
        }
    }

    /// Fetches the rows that `request` names, with one call to the host for each table. Returns whether there were any that are not cached.
    pub(crate) fn prefetch(&mut self, request: impl FnOnce(&mut Prefetch)) -> bool {
        self.host.prefetch();
        self.cache.tables.iter_mut().for_each(|cached| cached.rows.forget_asked());
        let mut prefetch = Prefetch { cache: std::mem::take(&mut self.cache) };
        request(&mut prefetch);
        self.cache = prefetch.cache;
        let mut has_fetched = false;
        for cached in &mut self.cache.tables {
            match cached.rows.fetch_wanted(self.host.as_mut(), self.cache.batch) {
                Ok(fetched) => has_fetched |= fetched > 0,
                Err(failure) => drop(self.read_failure.get_or_insert(failure)),
            }
        }
        has_fetched
    }

    pub(crate) fn turn_to(&mut self, position: u64) {
        current_event::set(position);
        self.host.turn_to(position);
    }

    /// Ends an event: checks the rows that it changed, and makes them equal to what the host would return.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.read_failure.take() {
            return Err(failure);
        }
        let Self { cache, host, .. } = self;
        cache.tables.iter_mut().try_for_each(|cached| cached.rows.settle(host.as_mut()))
    }

    /// Whether the cached rows take more memory than they may.
    pub(crate) fn are_too_many(&self) -> bool {
        self.cache.bytes() > MAX_CACHED_BYTES
    }

    /// Writes the changed rows to the host, and evicts rows that are too many.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        for cached in &mut self.cache.tables {
            cached.rows.flush(self.host.as_mut())?;
        }
        self.cache.evict(MAX_CACHED_BYTES);
        Ok(())
    }

    pub(crate) fn end_batch(&mut self) {
        self.cache.batch = self.cache.batch.wrapping_add(1);
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
