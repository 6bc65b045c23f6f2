//! The rows that events of a batch will ask for.

use std::fmt;

use super::row_cache::RowCache;
use crate::{
    schema::{IntoKey, Key},
    table::Table,
};

/// Collects the keys of rows to fetch before a batch is handled; see [`Projection::prefetch`](crate::Projection::prefetch).
pub struct Prefetch {
    pub(super) cache: RowCache,
}

impl Prefetch {
    /// Requests the row that has this key. Panics if `T` is not among the tables of the projection.
    #[track_caller]
    pub fn want<'k, T: Table>(&mut self, key: impl IntoKey<T::Key<'k>>) {
        let key = key.into_key();
        let batch = self.cache.batch;
        let rows = self.cache.table::<T>();
        // A key that no column can hold fails the event that asks for its row, not the whole batch.
        if key.check().is_ok() {
            rows.want(&key, batch);
        }
    }
}

impl fmt::Debug for Prefetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetch").finish_non_exhaustive()
    }
}
