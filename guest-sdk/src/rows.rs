//! The rows of a projection, as `handle` sees them.

mod kept;
mod keys;

use std::fmt;

pub(crate) use self::keys::Keep;
pub use self::keys::Keys;
use crate::{
    Failure, at_hand,
    host::Host,
    schema::Key,
    table::{Find, Table},
    tables::Tables,
};

/// The bytes that kept rows may take up between batches. A module's memory is limited by its host, and a module that
/// cannot get more is lost, so this stays well below.
const MOST_KEPT_BYTES: usize = 64 << 20;

/// The rows of a projection's tables, as the events before the one in hand have left them.
///
/// Rows that were asked for or written are kept in the module's memory, and what has changed is handed to the host once a
/// batch. So it costs little to ask for the same row at every event. If anything fails, nothing of the batch is kept.
///
/// A key is a value, or a tuple for a table with several `#[key]` columns; see [`Table::Key`].
///
/// All methods panic where `T` is not among the [`Tables`](crate::Projection::Tables) of the projection.
pub struct Rows {
    keys: Keys,
    host: Box<dyn Host>,
    /// What went wrong while rows were fetched. It ends the batch after the event in hand, so that asking for a row need
    /// not end in a `Result` that is almost never an error.
    fault: Option<Failure>,
}

impl Rows {
    pub(crate) fn new<T: Tables>(host: Box<dyn Host>) -> Self {
        Self { keys: Keys { tables: T::keep(), batch: 0 }, host, fault: None }
    }

    /// The row that has this key.
    #[track_caller]
    pub fn get<T: Table>(&mut self, key: T::Key<'_>) -> Option<&T> {
        let place = self.load::<T>(&key);
        self.keys.kept().row(place)
    }

    /// The row that has this key, to be changed. It is written even if it is then left as it was, so [`get`](Self::get) is
    /// better where nothing is changed. Changing the columns of the key is a failure.
    #[track_caller]
    pub fn get_mut<T: Table>(&mut self, key: T::Key<'_>) -> Option<&mut T> {
        let place = self.load::<T>(&key);
        self.keys.kept().row_mut(place)
    }

    /// The row that has this key, to be changed; a new one where there is none.
    #[track_caller]
    pub fn get_or_insert_with<T: Table>(&mut self, key: T::Key<'_>, new: impl FnOnce() -> T) -> &mut T {
        let place = self.load::<T>(&key);
        self.keys.kept().row_or_insert_with(place, new)
    }

    /// Writes a row, in place of the one that has its key.
    #[track_caller]
    pub fn put<T: Table>(&mut self, row: T) {
        let batch = self.keys.batch;
        self.keys.kept().put(row, batch);
    }

    /// Deletes the row that has this key, if there is one.
    #[track_caller]
    pub fn delete<T: Table>(&mut self, key: T::Key<'_>) {
        self.check::<T>(&key);
        let batch = self.keys.batch;
        if let Err(failure) = self.keys.kept::<T>().delete(&key, batch) {
            self.fault.get_or_insert(failure);
        }
    }

    /// The rows that have given values in the columns of an index, in the order of their keys:
    /// `rows.find(Account::by_owner("ann"))`.
    ///
    /// Each call asks the database, and what was changed before is written first, so this costs far more than
    /// [`get`](Self::get).
    #[track_caller]
    pub fn find<T: Table>(&mut self, find: Find<T>) -> Vec<T> {
        if self.fault.is_some() {
            // The event has failed, and with it what it has changed, which the host would refuse in words of its own.
            return Vec::new();
        }
        let batch = self.keys.batch;
        let found = self.keys.kept::<T>().find(find, self.host.as_mut(), batch);
        found.unwrap_or_else(|failure| {
            self.fault.get_or_insert(failure);
            Vec::new()
        })
    }

    /// The place of the row that has this key, after it was fetched if need be.
    #[track_caller]
    fn load<T: Table>(&mut self, key: &T::Key<'_>) -> usize {
        self.check::<T>(key);
        let batch = self.keys.batch;
        let kept = self.keys.kept::<T>();
        let place = kept.place(key, batch);
        if self.fault.is_none()
            && !kept.is_known(place)
            && let Err(failure) = kept.check(place).and_then(|()| kept.fetch(&[place], self.host.as_mut()))
        {
            self.fault.get_or_insert(failure);
        }
        place
    }

    /// Fails the event if no cells can be this key. It is looked at each time: another key, whose row may be known, can have
    /// the same cells.
    fn check<T: Table>(&mut self, key: &T::Key<'_>) {
        if let Err(failure) = key.check() {
            self.fault.get_or_insert(Failure::new(format!("a key of `{}`: {failure}", T::SCHEMA.name)));
        }
    }

    pub(crate) fn keys(&mut self) -> &mut Keys {
        &mut self.keys
    }

    /// Fetches the rows that were named in advance.
    pub(crate) fn fetch_wanted(&mut self) {
        for keep in &mut self.keys.tables {
            if let Err(failure) = keep.kept.fetch_wanted(self.host.as_mut()) {
                self.fault.get_or_insert(failure);
            }
        }
    }

    pub(crate) fn turn_to(&mut self, position: u64) {
        at_hand::set(position);
        self.host.turn_to(position);
    }

    /// Ends an event: checks the rows that it changed, and makes them what the host would give back.
    pub(crate) fn settle(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.fault.take() {
            return Err(failure);
        }
        let Self { keys, host, .. } = self;
        keys.tables.iter_mut().try_for_each(|keep| keep.kept.settle(host.as_mut()))
    }

    /// Ends a batch: hands the changed rows to the host.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        for keep in &mut self.keys.tables {
            keep.kept.flush(self.host.as_mut())?;
        }
        self.keys.sweep(MOST_KEPT_BYTES);
        self.keys.batch = self.keys.batch.wrapping_add(1);
        Ok(())
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
