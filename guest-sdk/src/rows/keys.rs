//! The tables whose rows are kept, and the rows that are named in advance.

use std::{
    any::{Any, TypeId},
    fmt,
};

use super::kept::{Kept, KeptTable};
use crate::{schema::Key, table::Table};

/// The rows that a batch will ask for; see [`Projection::prefetch`](crate::Projection::prefetch).
pub struct Keys {
    pub(super) tables: Vec<Keep>,
    /// The number of the batch; it tells which rows the batch asked for.
    pub(super) batch: u32,
}

/// What is kept of one table.
pub struct Keep {
    table: TypeId,
    pub(super) kept: Box<dyn KeptTable>,
}

impl Keys {
    /// Names the row that has this key. Panics where `T` is not among the tables of the projection.
    #[track_caller]
    pub fn want<T: Table>(&mut self, key: T::Key<'_>) {
        let batch = self.batch;
        let kept = self.kept::<T>();
        // The event that asks for the row of an impossible key fails, not the whole batch.
        if key.check().is_ok() {
            kept.want(&key, batch);
        }
    }

    #[track_caller]
    pub(super) fn kept<T: Table>(&mut self) -> &mut Kept<T> {
        let wanted = TypeId::of::<T>();
        let keep = self.tables.iter_mut().find(|keep| keep.table == wanted);
        match keep.and_then(|keep| (keep.kept.as_mut() as &mut dyn Any).downcast_mut()) {
            Some(kept) => kept,
            None => panic!("the table `{}` is not among the `Tables` of this projection", T::SCHEMA.name),
        }
    }

    /// Forgets rows while there are too many of them: first those that the batch did not ask for, then all.
    pub(super) fn sweep(&mut self, most_bytes: usize) {
        let bytes = |tables: &[Keep]| tables.iter().map(|keep| keep.kept.bytes()).sum::<usize>();
        if bytes(&self.tables) > most_bytes {
            self.tables.iter_mut().for_each(|keep| keep.kept.forget(Some(self.batch)));
        }
        if bytes(&self.tables) > most_bytes {
            self.tables.iter_mut().for_each(|keep| keep.kept.forget(None));
        }
    }
}

impl Keep {
    pub(crate) fn new<T: Table>() -> Self {
        Self { table: TypeId::of::<T>(), kept: Box::new(Kept::<T>::default()) }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
