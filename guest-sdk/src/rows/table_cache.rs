//! The cached rows of one table.
//!
//! They equal the host's rows, except for the changes of the current batch: the host drops an instance if a batch of it is not
//! committed.

use std::{
    any::Any,
    hash::{BuildHasher, Hasher},
    hint::black_box,
};

use gnomon_values::{
    cells::row_bytes,
    limits::{LARGE_ROW_BYTES, MAX_INDEX_BYTES},
};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

use super::asked::Asked;
use crate::{
    Failure,
    host::Host,
    limits::{check_key, check_row, check_value},
    schema::{Key, Value},
    table::{Find, Table},
};

/// Keys of one call to the host. The host allows more, but rows may be large.
const MAX_FETCHED_KEYS: usize = 10_000;

/// The cached rows of a table, by key. Other fields refer to a row by the index of its slot.
pub(super) struct TableCache<T> {
    slots: Vec<Slot<T>>,
    by_key: HashTable<Place>,
    hasher: DefaultHashBuilder,
    /// Rows to fetch.
    wanted: Vec<usize>,
    /// Rows that were wanted, in the order in which events are likely to ask for them.
    asked: Asked,
    /// Rows to settle at the end of the event.
    touched: Vec<usize>,
    /// Rows to write at the end of the batch, in the order in which they changed, so that the same batch always makes the same
    /// calls.
    changed: Vec<usize>,
    bytes: usize,
}

/// Where a row is, with a part of the hash of its key, so that a look-up reads no slot of another row.
struct Place {
    hash: u32,
    slot: u32,
}

struct Slot<T> {
    hash: u64,
    key: Vec<Value>,
    /// Whether `row` was fetched or written; if not, the host may have a row with this key.
    known: bool,
    row: Option<T>,
    touched: bool,
    changed: bool,
    /// The last batch that asked for the row.
    batch: u32,
    bytes: usize,
}

/// A [`TableCache`] with rows of any type.
pub(super) trait AnyTableCache: Any {
    /// Forgets which rows were wanted before.
    fn forget_asked(&mut self);
    /// Fetches the wanted rows that are not cached. Returns how many there were.
    fn fetch_wanted(&mut self, host: &mut dyn Host, batch: u32) -> Result<usize, Failure>;
    /// Ends an event: checks the rows that it changed, and makes them equal to what the host would return.
    fn settle(&mut self, host: &mut dyn Host) -> Result<(), Failure>;
    /// Writes the changed rows.
    fn flush(&mut self, host: &mut dyn Host) -> Result<(), Failure>;
    /// The approximate memory of the cached rows.
    fn bytes(&self) -> usize;
    /// Evicts the rows that a batch did not ask for.
    fn retain_batch(&mut self, batch: u32);
    /// Evicts all rows.
    fn clear(&mut self);
}

impl<T> Default for TableCache<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            by_key: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            wanted: Vec::new(),
            asked: Asked::default(),
            touched: Vec::new(),
            changed: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T: Table> TableCache<T> {
    /// The slot of this key. Adds one if there is none, whether or not a row has the key.
    pub(super) fn slot(&mut self, key: &T::Key<'_>, batch: u32) -> usize {
        let slots = &self.slots;
        // Whoever wanted it has marked it as asked for by the batch.
        if let Some(slot) = self.asked.find(|slot| key.is(&slots[slot].key)) {
            return slot;
        }
        let slot = self.look_up(key, batch);
        self.asked.found(slot);
        slot
    }

    fn look_up(&mut self, key: &T::Key<'_>, batch: u32) -> usize {
        let hash = self.hash(key);
        let (slots, upper) = (&mut self.slots, upper_half(hash));
        let entry = self.by_key.entry(
            hash,
            |place| place.hash == upper && key.is(&slots[place.slot as usize].key),
            |place| slots[place.slot as usize].hash,
        );
        match entry {
            Entry::Occupied(found) => {
                let slot = found.get().slot as usize;
                slots[slot].batch = batch;
                slot
            }
            Entry::Vacant(vacant) => {
                let Ok(slot) = u32::try_from(slots.len()) else { panic!("a module caches {} rows", slots.len()) };
                vacant.insert(Place { hash: upper, slot });
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

    fn hash(&self, key: &T::Key<'_>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        key.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn is_known(&self, slot: usize) -> bool {
        self.slots[slot].known
    }

    pub(super) fn row(&self, slot: usize) -> Option<&T> {
        self.slots[slot].row.as_ref()
    }

    pub(super) fn row_mut(&mut self, slot: usize) -> Option<&mut T> {
        if self.slots[slot].row.is_some() {
            self.mark_changed(slot);
        }
        self.slots[slot].row.as_mut()
    }

    pub(super) fn row_or_insert_with(&mut self, slot: usize, new: impl FnOnce() -> T) -> &mut T {
        self.mark_changed(slot);
        self.slots[slot].row.get_or_insert_with(new)
    }

    pub(super) fn put(&mut self, row: T, batch: u32) {
        let slot = self.slot(&row.key(), batch);
        self.set(slot, Some(row));
    }

    pub(super) fn delete(&mut self, key: &T::Key<'_>, batch: u32) -> Result<(), Failure> {
        let slot = self.slot(key, batch);
        self.check(slot)?;
        self.set(slot, None);
        Ok(())
    }

    /// Wants a row before its event is handled. A row that is cached is only noted: it is likely to be the one, and whoever asks for it looks
    /// at its key.
    pub(super) fn want(&mut self, key: &T::Key<'_>, batch: u32) {
        let hash = self.hash(key);
        if let Some(place) = self.by_key.find(hash, |place| place.hash == upper_half(hash)) {
            self.asked.want(place.slot as usize);
            return;
        }
        let slot = self.look_up(key, batch);
        self.asked.want(slot);
        // A key that no row can have fails the event that asks for the row.
        if check_key(&self.slots[slot].key).is_ok() {
            self.wanted.push(slot);
        }
    }

    /// Reads the rows that are wanted into the caches of the processor: one after the other without anything between them, so it waits for the
    /// memory of many at once. They are marked as asked for by the batch.
    fn touch_asked(&mut self, batch: u32) {
        let mut bytes = 0;
        for &slot in self.asked.slots() {
            let slot = &mut self.slots[slot];
            slot.batch = batch;
            bytes ^= match slot.key.first() {
                Some(Value::Text(text)) => text.as_bytes().first().copied().unwrap_or_default(),
                _ => u8::from(slot.known),
            };
        }
        black_box(bytes);
    }

    /// Checks that a row can have the key of a slot.
    pub(super) fn check(&self, slot: usize) -> Result<(), Failure> {
        check_key(&self.slots[slot].key).map_err(|failure| self.in_row(slot, &failure))
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
            let slot = self.slot(&row.key(), batch);
            if !self.slots[slot].known {
                self.insert_fetched(slot, Some(cells))?;
            }
            found.push(row);
        }
        Ok(found)
    }

    pub(super) fn fetch(&mut self, slots: &[usize], host: &mut dyn Host) -> Result<(), Failure> {
        let keys: Vec<Vec<Value>> = slots.iter().map(|&slot| self.slots[slot].key.clone()).collect();
        let rows = host.get_many(T::SCHEMA.name, keys)?;
        if rows.len() != slots.len() {
            let message =
                format!("the host returned {} rows of `{}` for {} keys", rows.len(), T::SCHEMA.name, slots.len());
            return Err(Failure::new(message));
        }
        slots.iter().zip(rows).try_for_each(|(&slot, cells)| self.insert_fetched(slot, cells))
    }

    /// Caches a row that the host returned, or that the host has no row.
    fn insert_fetched(&mut self, slot: usize, cells: Option<Vec<Value>>) -> Result<(), Failure> {
        if let Some(cells) = cells {
            self.count_bytes(slot, &cells);
            let row = T::from_cells(cells).map_err(|failure| self.in_row(slot, &failure))?;
            self.slots[slot].row = Some(row);
        }
        self.slots[slot].known = true;
        Ok(())
    }

    /// Ends an event for a row that may be too large: checks its size, and writes it now if a host could refuse it.
    fn settle_large(&mut self, slot: usize, host: &mut dyn Host) -> Result<(), Failure> {
        let Some(row) = &self.slots[slot].row else { return Ok(()) };
        let cells = row.to_cells().map_err(|failure| self.in_row(slot, &failure))?;
        check_row(&T::SCHEMA, &cells).map_err(|failure| self.in_row(slot, &failure))?;
        if row_bytes(cells.iter().map(Value::heap_bytes)) < LARGE_ROW_BYTES {
            return Ok(());
        }
        // The slot stays in `self.changed`, where `flush` skips it.
        self.slots[slot].changed = false;
        self.count_bytes(slot, &cells);
        host.put_many(T::SCHEMA.name, vec![cells])
    }

    fn set(&mut self, slot: usize, row: Option<T>) {
        self.mark_changed(slot);
        let slot = &mut self.slots[slot];
        slot.row = row;
        slot.known = true;
    }

    fn mark_changed(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.touched {
            slot.touched = true;
            self.touched.push(index);
        }
        if !slot.changed {
            slot.changed = true;
            self.changed.push(index);
        }
    }

    fn count_bytes(&mut self, slot: usize, cells: &[Value]) {
        let slot = &mut self.slots[slot];
        let bytes = size_of::<Slot<T>>() + heap_bytes(&slot.key) + heap_bytes(cells);
        self.bytes = self.bytes - slot.bytes + bytes;
        slot.bytes = bytes;
    }

    fn in_row(&self, slot: usize, failure: &Failure) -> Failure {
        Failure::new(format!("the row {} of `{}`: {failure}", ShownKey(&self.slots[slot].key), T::SCHEMA.name))
    }

    fn retain(&mut self, keep: impl FnMut(&Slot<T>) -> bool) {
        // Other fields refer to slots by their index.
        self.asked.clear();
        self.slots.retain(keep);
        self.bytes = self.slots.iter().map(|slot| slot.bytes).sum();
        self.by_key.clear();
        for (index, slot) in self.slots.iter().enumerate() {
            // There were as many before.
            let place = Place { hash: upper_half(slot.hash), slot: index as u32 };
            self.by_key.insert_unique(slot.hash, place, |place| self.slots[place.slot as usize].hash);
        }
    }
}

impl<T: Table> AnyTableCache for TableCache<T> {
    fn forget_asked(&mut self) {
        self.asked.clear();
    }

    fn fetch_wanted(&mut self, host: &mut dyn Host, batch: u32) -> Result<usize, Failure> {
        self.touch_asked(batch);
        let wanted = std::mem::take(&mut self.wanted);
        wanted.chunks(MAX_FETCHED_KEYS).try_for_each(|slots| self.fetch(slots, host))?;
        Ok(wanted.len())
    }

    fn settle(&mut self, host: &mut dyn Host) -> Result<(), Failure> {
        while let Some(index) = self.touched.pop() {
            let slot = &mut self.slots[index];
            slot.touched = false;
            let Some(row) = &mut slot.row else { continue };
            let bytes = match row.settle() {
                Ok(bytes) => bytes,
                Err(failure) => return Err(self.in_row(index, &failure)),
            };
            if !row.key().is(&slot.key) {
                let mut key = Vec::new();
                row.key().push_cells(&mut key);
                let message = format!(
                    "its key was changed to {}; delete the row and put a row with the other key instead",
                    ShownKey(&key)
                );
                return Err(self.in_row(index, &Failure::new(message)));
            }
            if bytes > MAX_INDEX_BYTES {
                self.settle_large(index, host)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, host: &mut dyn Host) -> Result<(), Failure> {
        let mut rows = Vec::with_capacity(self.changed.len());
        let mut deleted = Vec::new();
        for index in std::mem::take(&mut self.changed) {
            let slot = &mut self.slots[index];
            if !std::mem::take(&mut slot.changed) {
                continue;
            }
            let Some(row) = &slot.row else {
                deleted.push(slot.key.clone());
                continue;
            };
            let cells = row.to_cells().map_err(|failure| self.in_row(index, &failure))?;
            self.count_bytes(index, &cells);
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

    fn retain_batch(&mut self, batch: u32) {
        self.retain(|slot| slot.batch == batch);
    }

    fn clear(&mut self) {
        self.retain(|_| false);
    }
}

fn upper_half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn heap_bytes(cells: &[Value]) -> usize {
    size_of_val(cells) + cells.iter().map(Value::heap_bytes).sum::<usize>()
}

/// Bytes of a cell that a message shows.
const MAX_SHOWN_BYTES: usize = 100;

/// The cells of a key, for messages.
struct ShownKey<'a>(&'a [Value]);

impl std::fmt::Display for ShownKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(")?;
        for (index, cell) in self.0.iter().enumerate() {
            let cell = cell.to_string();
            let (end, more) = if cell.len() > MAX_SHOWN_BYTES {
                (cell.floor_char_boundary(MAX_SHOWN_BYTES), "…")
            } else {
                (cell.len(), "")
            };
            write!(f, "{}{}{more}", if index == 0 { "" } else { ", " }, &cell[..end])?;
        }
        f.write_str(")")
    }
}
