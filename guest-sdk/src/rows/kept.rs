//! The rows of one table that are in the module's memory.
//!
//! They equal what the host has, but for the changes of the batch in hand: the host never goes on with a module one of
//! whose batches it did not commit.

use std::{
    any::Any,
    hash::{BuildHasher, Hasher},
};

use gnomon_values::{
    cells::row_bytes,
    limits::{LARGE_ROW_BYTES, MAX_INDEX_BYTES},
};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

use crate::{
    Failure,
    host::Host,
    limits::{check_key, check_row, check_value},
    schema::{Key, Value},
    table::{Find, Table},
};

/// Keys of one call to the host, which allows more: rows may be large.
const MOST_FETCHED: usize = 10_000;

/// The rows that are kept of a table, by key. A place is an index of `slots`.
pub(super) struct Kept<T> {
    slots: Vec<Slot<T>>,
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    /// To be fetched.
    wanted: Vec<usize>,
    /// To be settled as the event ends.
    touched: Vec<usize>,
    /// To be handed to the host as the batch ends. In the order of their change, so that the same batch always makes the
    /// same calls.
    changed: Vec<usize>,
    bytes: usize,
}

struct Slot<T> {
    hash: u64,
    key: Vec<Value>,
    /// Whether `row` is what the host has: if not, the host was not asked yet.
    known: bool,
    row: Option<T>,
    touched: bool,
    changed: bool,
    /// The batch that asked for the row last.
    batch: u32,
    bytes: usize,
}

/// A [`Kept`] whatever its rows are.
pub(super) trait KeptTable: Any {
    fn fetch_wanted(&mut self, host: &mut dyn Host) -> Result<(), Failure>;
    fn settle(&mut self, host: &mut dyn Host) -> Result<(), Failure>;
    fn flush(&mut self, host: &mut dyn Host) -> Result<(), Failure>;
    fn bytes(&self) -> usize;
    /// Forgets the rows that the batch did not ask for, or all.
    fn forget(&mut self, but_of_batch: Option<u32>);
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            wanted: Vec::new(),
            touched: Vec::new(),
            changed: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T: Table> Kept<T> {
    /// The place of the row that has this key, be there such a row or not.
    pub(super) fn place(&mut self, key: &T::Key<'_>, batch: u32) -> usize {
        let mut hasher = self.hasher.build_hasher();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let slots = &mut self.slots;
        let place = self.places.entry(
            hash,
            |&place| slots[place].hash == hash && key.is(&slots[place].key),
            |&place| slots[place].hash,
        );
        match place {
            Entry::Occupied(place) => {
                let place = *place.get();
                slots[place].batch = batch;
                place
            }
            Entry::Vacant(vacant) => {
                vacant.insert(slots.len());
                let mut cells = Vec::with_capacity(T::SCHEMA.key.len());
                key.push_cells(&mut cells);
                let bytes = size_of::<Slot<T>>() + heap_bytes(&cells);
                self.bytes += bytes;
                slots.push(Slot {
                    hash,
                    key: cells,
                    known: false,
                    row: None,
                    touched: false,
                    changed: false,
                    batch,
                    bytes,
                });
                slots.len() - 1
            }
        }
    }

    pub(super) fn is_known(&self, place: usize) -> bool {
        self.slots[place].known
    }

    pub(super) fn row(&self, place: usize) -> Option<&T> {
        self.slots[place].row.as_ref()
    }

    pub(super) fn row_mut(&mut self, place: usize) -> Option<&mut T> {
        if self.slots[place].row.is_some() {
            self.mark(place);
        }
        self.slots[place].row.as_mut()
    }

    pub(super) fn row_or_insert_with(&mut self, place: usize, new: impl FnOnce() -> T) -> &mut T {
        self.mark(place);
        self.slots[place].row.get_or_insert_with(new)
    }

    pub(super) fn put(&mut self, row: T, batch: u32) {
        let place = self.place(&row.key(), batch);
        self.set(place, Some(row));
    }

    pub(super) fn delete(&mut self, key: &T::Key<'_>, batch: u32) -> Result<(), Failure> {
        let place = self.place(key, batch);
        self.check(place)?;
        self.set(place, None);
        Ok(())
    }

    pub(super) fn want(&mut self, key: &T::Key<'_>, batch: u32) {
        let known = self.slots.len();
        let place = self.place(key, batch);
        // A key that no row can have is a failure where it is asked for.
        if place == known && check_key(&self.slots[place].key).is_ok() {
            self.wanted.push(place);
        }
    }

    /// Whether a row can have the key at a place.
    pub(super) fn check(&self, place: usize) -> Result<(), Failure> {
        check_key(&self.slots[place].key).map_err(|failure| self.in_row(place, &failure))
    }

    pub(super) fn find(&mut self, find: Find<T>, host: &mut dyn Host, batch: u32) -> Result<Vec<T>, Failure> {
        let in_find =
            |failure: Failure| Failure::new(format!("index `{}` of `{}`: {failure}", find.index, T::SCHEMA.name));
        let values = find.values.map_err(in_find)?;
        values.iter().try_for_each(check_value).map_err(in_find)?;
        self.settle(host)?;
        self.flush(host)?;
        let mut found = Vec::new();
        for cells in host.find(T::SCHEMA.name, find.index, values)? {
            let row = T::from_cells(cells.clone())
                .map_err(|failure| Failure::new(format!("a row of `{}`: {failure}", T::SCHEMA.name)))?;
            let place = self.place(&row.key(), batch);
            if !self.slots[place].known {
                self.know(place, Some(cells))?;
            }
            found.push(row);
        }
        Ok(found)
    }

    pub(super) fn fetch(&mut self, places: &[usize], host: &mut dyn Host) -> Result<(), Failure> {
        let keys: Vec<Vec<Value>> = places.iter().map(|&place| self.slots[place].key.clone()).collect();
        let rows = host.get_many(T::SCHEMA.name, keys)?;
        if rows.len() != places.len() {
            let message =
                format!("the host gave {} rows of `{}` for {} keys", rows.len(), T::SCHEMA.name, places.len());
            return Err(Failure::new(message));
        }
        places.iter().zip(rows).try_for_each(|(&place, cells)| self.know(place, cells))
    }

    /// Takes a row that the host has.
    fn know(&mut self, place: usize, cells: Option<Vec<Value>>) -> Result<(), Failure> {
        if let Some(cells) = cells {
            self.weigh(place, &cells);
            let row = T::from_cells(cells).map_err(|failure| self.in_row(place, &failure))?;
            self.slots[place].row = Some(row);
        }
        self.slots[place].known = true;
        Ok(())
    }

    /// Ends an event for a row that may break a limit.
    fn settle_large(&mut self, place: usize, host: &mut dyn Host) -> Result<(), Failure> {
        let Some(row) = &self.slots[place].row else { return Ok(()) };
        let cells = row.to_cells().map_err(|failure| self.in_row(place, &failure))?;
        check_row(&T::SCHEMA, &cells).map_err(|failure| self.in_row(place, &failure))?;
        if row_bytes(cells.iter().map(Value::heap_bytes)) < LARGE_ROW_BYTES {
            return Ok(());
        }
        // Its place stays among those that changed, and is passed over there.
        self.slots[place].changed = false;
        self.weigh(place, &cells);
        host.put_many(T::SCHEMA.name, vec![cells])
    }

    fn set(&mut self, place: usize, row: Option<T>) {
        self.mark(place);
        let slot = &mut self.slots[place];
        slot.row = row;
        slot.known = true;
    }

    fn mark(&mut self, place: usize) {
        let slot = &mut self.slots[place];
        if !slot.touched {
            slot.touched = true;
            self.touched.push(place);
        }
        if !slot.changed {
            slot.changed = true;
            self.changed.push(place);
        }
    }

    fn weigh(&mut self, place: usize, cells: &[Value]) {
        let slot = &mut self.slots[place];
        let bytes = size_of::<Slot<T>>() + heap_bytes(&slot.key) + heap_bytes(cells);
        self.bytes = self.bytes - slot.bytes + bytes;
        slot.bytes = bytes;
    }

    fn in_row(&self, place: usize, failure: &Failure) -> Failure {
        Failure::new(format!("the row {} of `{}`: {failure}", Shown(&self.slots[place].key), T::SCHEMA.name))
    }
}

impl<T: Table> KeptTable for Kept<T> {
    fn fetch_wanted(&mut self, host: &mut dyn Host) -> Result<(), Failure> {
        let wanted = std::mem::take(&mut self.wanted);
        wanted.chunks(MOST_FETCHED).try_for_each(|places| self.fetch(places, host))
    }

    fn settle(&mut self, host: &mut dyn Host) -> Result<(), Failure> {
        while let Some(place) = self.touched.pop() {
            let slot = &mut self.slots[place];
            slot.touched = false;
            let Some(row) = &mut slot.row else { continue };
            let bytes = match row.settle() {
                Ok(bytes) => bytes,
                Err(failure) => return Err(self.in_row(place, &failure)),
            };
            if !row.key().is(&slot.key) {
                let mut key = Vec::new();
                row.key().push_cells(&mut key);
                let message = format!(
                    "its key was changed to {}; delete the row and put it again under the other key instead",
                    Shown(&key)
                );
                return Err(self.in_row(place, &Failure::new(message)));
            }
            if bytes > MAX_INDEX_BYTES {
                self.settle_large(place, host)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, host: &mut dyn Host) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(self.changed.len());
        let mut deleted = Vec::new();
        for place in std::mem::take(&mut self.changed) {
            let slot = &mut self.slots[place];
            if !std::mem::take(&mut slot.changed) {
                continue;
            }
            let Some(row) = &slot.row else {
                deleted.push(slot.key.clone());
                continue;
            };
            let cells = row.to_cells().map_err(|failure| self.in_row(place, &failure))?;
            self.weigh(place, &cells);
            rows.push(cells);
        }
        if !rows.is_empty() {
            host.put_many(T::SCHEMA.name, rows)?;
        }
        if !deleted.is_empty() {
            host.delete_many(T::SCHEMA.name, deleted)?;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget(&mut self, but_of_batch: Option<u32>) {
        self.slots.retain(|slot| Some(slot.batch) == but_of_batch);
        self.bytes = self.slots.iter().map(|slot| slot.bytes).sum();
        self.places.clear();
        for (place, slot) in self.slots.iter().enumerate() {
            self.places.insert_unique(slot.hash, place, |&place| self.slots[place].hash);
        }
    }
}

fn heap_bytes(cells: &[Value]) -> usize {
    size_of_val(cells) + cells.iter().map(Value::heap_bytes).sum::<usize>()
}

/// Bytes of a cell that a message shows.
const LONGEST_SHOWN: usize = 100;

/// The cells of a key, for messages.
struct Shown<'a>(&'a [Value]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(")?;
        for (place, cell) in self.0.iter().enumerate() {
            let cell = cell.to_string();
            let (end, more) = if cell.len() > LONGEST_SHOWN {
                (cell.floor_char_boundary(LONGEST_SHOWN), "…")
            } else {
                (cell.len(), "")
            };
            write!(f, "{}{}{more}", if place == 0 { "" } else { ", " }, &cell[..end])?;
        }
        f.write_str(")")
    }
}
