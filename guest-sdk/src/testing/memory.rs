//! A host with tables in memory, and the default limits of a host.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use gnomon_values::{
    cells::{memory_bytes, row_bytes},
    limits::{self, LimitError},
};
use serde::{Deserialize, Serialize};

use super::tables::{StoredKey, StoredTables, Write};
use crate::{Failure, host::Host, schema::Value};

/// A host whose tables are in memory. Clones are handles on the same tables.
#[derive(Clone)]
pub(super) struct MemoryHost(Rc<RefCell<Memory>>);

struct Memory {
    tables: StoredTables,
    writes: Vec<Write>,
    late: Vec<LateFetch>,
    batch: Batch,
}

/// What the current batch has done so far.
#[derive(Default)]
struct Batch {
    /// The position of the current event; `None` while rows are prefetched.
    position: Option<u64>,
    /// Rows that it asked for.
    reads: usize,
    /// The host memory that each changed row takes.
    changed: BTreeMap<(&'static str, StoredKey), usize>,
    /// The sum of `changed`.
    changed_bytes: usize,
    /// Whether a call was refused.
    refused: bool,
}

/// A row that was fetched on its own, since `prefetch` had not requested it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LateFetch {
    pub(super) position: u64,
    pub(super) table: String,
    pub(super) key: Vec<Value>,
}

/// The numbers of writes and late fetches when a batch began.
#[derive(Clone, Copy)]
pub(super) struct BatchStart {
    writes: usize,
    late: usize,
}

impl MemoryHost {
    pub(super) fn new(tables: StoredTables) -> Self {
        Self(Rc::new(RefCell::new(Memory { tables, writes: Vec::new(), late: Vec::new(), batch: Batch::default() })))
    }

    /// Begins a batch.
    pub(super) fn start_batch(&self) -> BatchStart {
        let mut memory = self.0.borrow_mut();
        memory.batch = Batch::default();
        BatchStart { writes: memory.writes.len(), late: memory.late.len() }
    }

    /// Removes the writes and late fetches since the batch began, and returns whether a call was refused. The tables keep the
    /// writes, so the host must not be used again.
    pub(super) fn abandon(&self, start: BatchStart) -> bool {
        let mut memory = self.0.borrow_mut();
        memory.writes.truncate(start.writes);
        memory.late.truncate(start.late);
        memory.batch.refused
    }

    /// All writes and all late fetches.
    pub(super) fn finish(&self) -> (Vec<Write>, Vec<LateFetch>) {
        let mut memory = self.0.borrow_mut();
        (std::mem::take(&mut memory.writes), std::mem::take(&mut memory.late))
    }

    fn call<R>(
        &self,
        table: &'static str,
        work: impl FnOnce(&mut Memory) -> Result<R, LimitError>,
    ) -> Result<R, Failure> {
        let mut memory = self.0.borrow_mut();
        work(&mut memory).map_err(|error| {
            memory.batch.refused = true;
            Failure::new(format!("table `{table}`: {error}"))
        })
    }
}

impl Memory {
    fn write(&mut self, write: Write) {
        self.tables.apply(&write);
        self.writes.push(write);
    }
}

impl Batch {
    fn read(&mut self, rows: usize) -> Result<(), LimitError> {
        self.reads += rows.max(1);
        limits::check_batch_reads(self.reads, limits::DEFAULT_MAX_BATCH_READS)
    }

    fn change(&mut self, table: &'static str, key: StoredKey, row: Option<&[Value]>) -> Result<(), LimitError> {
        let bytes = cells_bytes(&key.0) + row.map_or(0, cells_bytes);
        self.changed_bytes += bytes;
        self.changed_bytes -= self.changed.insert((table, key), bytes).unwrap_or_default();
        limits::check_batch_write(self.changed_bytes, limits::DEFAULT_MAX_BATCH_WRITE_BYTES)
    }
}

impl Host for MemoryHost {
    fn turn_to(&mut self, position: u64) {
        self.0.borrow_mut().batch.position = Some(position);
    }

    fn prefetch(&mut self) {
        self.0.borrow_mut().batch.position = None;
    }

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<Vec<Option<Vec<Value>>>, Failure> {
        self.call(table, |memory| {
            limits::check_get_keys(keys.len(), limits::DEFAULT_MAX_GET_KEYS)?;
            memory.batch.read(keys.len())?;
            if let Some(position) = memory.batch.position {
                let late = keys.iter().map(|key| LateFetch { position, table: table.to_owned(), key: key.clone() });
                memory.late.extend(late);
            }
            let table = memory.tables.table(table);
            let rows: Vec<_> = keys.into_iter().map(|key| table.get(key)).collect();
            check_read(rows.iter().flatten())?;
            Ok(rows)
        })
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) -> Result<(), Failure> {
        self.call(table, |memory| {
            for row in &rows {
                limits::check_row(row_bytes(sizes(row)), limits::DEFAULT_MAX_ROW_BYTES)?;
                let key = memory.tables.table(table).key_of(row);
                memory.batch.change(table, key, Some(row))?;
            }
            memory.write(Write::Put { table: table.to_owned(), rows });
            Ok(())
        })
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Result<(), Failure> {
        self.call(table, |memory| {
            keys.iter().try_for_each(|key| memory.batch.change(table, StoredKey(key.clone()), None))?;
            memory.write(Write::Delete { table: table.to_owned(), keys });
            Ok(())
        })
    }

    fn find(
        &mut self,
        table: &'static str,
        index: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Failure> {
        self.call(table, |memory| {
            memory.batch.read(0)?;
            let rows = memory.tables.table(table).find(index, &values);
            limits::check_find_rows(rows.len(), limits::DEFAULT_MAX_FIND_ROWS)?;
            check_read(rows.iter())?;
            memory.batch.read(rows.len())?;
            Ok(rows)
        })
    }
}

fn check_read<'r>(rows: impl Iterator<Item = &'r Vec<Value>>) -> Result<(), LimitError> {
    let bytes = rows.map(|row| cells_bytes(row)).sum();
    limits::check_read(bytes, limits::DEFAULT_MAX_READ_BYTES)
}

fn cells_bytes(cells: &[Value]) -> usize {
    memory_bytes(sizes(cells))
}

fn sizes(cells: &[Value]) -> impl Iterator<Item = usize> {
    cells.iter().map(Value::heap_bytes)
}
