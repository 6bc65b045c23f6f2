//! The cached rows of all tables of a projection.

use std::any::{Any, TypeId};

use super::table_cache::{AnyTableCache, TableCache};
use crate::table::Table;

/// The cached rows of all tables.
#[derive(Default)]
pub(super) struct RowCache {
    pub(super) tables: Vec<CachedTable>,
    /// The number of the batch, which marks the rows that it asked for.
    pub(super) batch: u32,
}

/// A table and its cached rows.
pub struct CachedTable {
    table: TypeId,
    pub(super) rows: Box<dyn AnyTableCache>,
}

impl RowCache {
    /// The cached rows of a table. Panics if `T` is not among the tables of the projection.
    #[track_caller]
    pub(super) fn table<T: Table>(&mut self) -> &mut TableCache<T> {
        let wanted = TypeId::of::<T>();
        let cached = self.tables.iter_mut().find(|cached| cached.table == wanted);
        match cached.and_then(|cached| (cached.rows.as_mut() as &mut dyn Any).downcast_mut()) {
            Some(rows) => rows,
            None => panic!("the table `{}` is not among the `Tables` of this module", T::SCHEMA.name),
        }
    }

    /// The approximate memory of the cached rows.
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(|cached| cached.rows.bytes()).sum()
    }

    /// Evicts rows if they take more than `max_bytes`: first those that the batch did not ask for, then all.
    pub(super) fn evict(&mut self, max_bytes: usize) {
        if self.bytes() > max_bytes {
            self.tables.iter_mut().for_each(|cached| cached.rows.retain_batch(self.batch));
        }
        if self.bytes() > max_bytes {
            self.tables.iter_mut().for_each(|cached| cached.rows.clear());
        }
    }
}

impl CachedTable {
    pub(crate) fn new<T: Table>() -> Self {
        Self { table: TypeId::of::<T>(), rows: Box::new(TableCache::<T>::default()) }
    }
}
