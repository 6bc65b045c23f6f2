//! The import `read-model`: reads and writes a projection's rows while it handles a batch.

use std::sync::Arc;

use gnomon_values::{
    cells::row_bytes,
    limits::{self, LimitError},
};
use hashbrown::{HashTable, hash_table::Entry};
use wasmtime::component::HasData;

use super::import::Import;
use crate::{
    read_model::{HashedKey, Row, RowsTooLarge, ShapeError, Table, Value, WriteSet, cells_bytes},
    runtime::{
        bindings::{
            read_model::{self, Host},
            types,
        },
        convert::{cells_from_module, cells_to_module, passed_bytes},
        failure::ReadError,
        limits::RuntimeLimits,
        printable::printable,
        row_reader::RowReader,
        sandbox::{deadline::Deadline, stop::Stop},
    },
};

/// The rows of an instance. A module can read and write them only between [`Self::begin_batch`] and [`Self::take_writes`].
pub(in crate::runtime) struct ReadModel {
    limits: RuntimeLimits,
    batch: Option<Batch>,
}

/// The rows of a batch.
struct Batch {
    writes: WriteSet,
    reader: Box<dyn RowReader>,
    /// Rows that the batch asked for; see [`RuntimeLimits::max_batch_reads`].
    reads: usize,
}

/// A call of the module, and the deadline, which counts what the call waits for rows on its own.
pub(in crate::runtime) struct Call<'g> {
    pub(in crate::runtime) rows: &'g mut ReadModel,
    pub(in crate::runtime) deadline: &'g mut Deadline,
}

struct HasCall;

impl HasData for HasCall {
    type Data<'g> = Call<'g>;
}

/// The import; `call` borrows what a call needs from an instance.
pub(in crate::runtime) fn import<T: 'static>(call: fn(&mut T) -> Call<'_>) -> Import<T> {
    Import {
        interface: "gnomon:module/read-model",
        link: Box::new(move |linker| read_model::add_to_linker::<_, HasCall>(linker, call)),
    }
}

impl ReadModel {
    pub(in crate::runtime) fn new(limits: &RuntimeLimits) -> Self {
        Self { limits: *limits, batch: None }
    }

    /// Lets a batch read and write the rows of these tables.
    pub(in crate::runtime) fn begin_batch(&mut self, tables: &[Arc<Table>], reader: Box<dyn RowReader>) {
        self.batch = Some(Batch { writes: WriteSet::new(tables), reader, reads: 0 });
    }

    /// Ends the batch and answers what it changed; `None` if no batch has begun.
    pub(in crate::runtime) fn take_writes(&mut self) -> Option<WriteSet> {
        self.batch.take().map(|batch| batch.writes)
    }
}

impl Call<'_> {
    fn batch(&mut self) -> Result<(&mut Batch, &mut Deadline, &RuntimeLimits), Stop> {
        let no_rows = || Stop::BadCall("it read or wrote rows outside of `handle`".to_owned());
        Ok((self.rows.batch.as_mut().ok_or_else(no_rows)?, self.deadline, &self.rows.limits))
    }

    fn get(&mut self, table: &str, keys: Vec<Vec<types::Value>>) -> Result<Vec<Option<Row>>, Stop> {
        let (batch, deadline, max) = self.batch()?;
        let index = batch.table(table)?;
        within(table, limits::check_get_keys(keys.len(), max.max_get_keys))?;
        batch.count_reads(table, keys.len(), max)?;
        let writes = &batch.writes.tables()[index];
        let declared = Arc::clone(writes.table());
        let keys = keys_from_module(&declared, keys, max)?;

        // Rows that the batch itself changed are not read. A key that is asked for twice is read once.
        let mut budget = ReadBudget::new(table, max);
        let mut found = vec![None; keys.len()];
        let (mut unknown, mut unknown_of) = (Vec::<HashedKey>::new(), Vec::new());
        let (mut asked, mut repeats) = (HashTable::new(), false);
        for (key, found) in keys.into_iter().zip(&mut found) {
            if let Some(changed) = writes.get_hashed(&key) {
                changed.map_or(Ok(()), |row| budget.take(row))?;
                *found = changed.cloned();
                continue;
            }
            let same = |&before: &usize| unknown[before] == key;
            let index = match asked.entry(key.hash(), same, |&before| unknown[before].hash()) {
                Entry::Occupied(before) => {
                    repeats = true;
                    *before.get()
                }
                Entry::Vacant(new) => {
                    let index = unknown.len();
                    new.insert(index);
                    unknown.push(key);
                    index
                }
            };
            unknown_of.push((found, index));
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let mut before = deadline
            .read(|| batch.reader.get_many(&declared, unknown, max.max_read_bytes))?
            .map_err(|error| read_failure(error, table, max))?;
        for (found, index) in unknown_of {
            let row = &mut before[index];
            row.as_deref().map_or(Ok(()), |row| budget.take(row))?;
            *found = if repeats { row.clone() } else { row.take() };
        }
        Ok(found)
    }

    fn put(&mut self, table: &str, rows: Vec<Vec<types::Value>>) -> Result<(), Stop> {
        let (batch, _, max) = self.batch()?;
        let index = batch.table(table)?;
        let declared = Arc::clone(batch.writes.tables()[index].table());
        for row in rows {
            let row = checked_cells(table, "bytes of a row", row, max)?;
            declared.check_row(&row).map_err(bad_shape)?;
            // Canonical JSON can be longer than the text that the module passed: 1e15 has sixteen digits.
            let bytes = row_bytes(row.iter().map(Value::heap_bytes));
            within(table, limits::check_row(bytes, max.max_row_bytes))?;
            batch.writes.put(index, row);
            batch.check_size(table, max)?;
        }
        Ok(())
    }

    fn delete(&mut self, table: &str, keys: Vec<Vec<types::Value>>) -> Result<(), Stop> {
        let (batch, _, max) = self.batch()?;
        let index = batch.table(table)?;
        let keys = keys_from_module(batch.writes.tables()[index].table(), keys, max)?;
        for key in keys {
            batch.writes.delete(index, key.into_cells());
        }
        batch.check_size(table, max)
    }

    fn find_rows(&mut self, table: &str, index_name: &str, values: Vec<types::Value>) -> Result<Vec<Row>, Stop> {
        let (batch, deadline, max) = self.batch()?;
        batch.count_reads(table, 0, max)?;
        let index = batch.table(table)?;
        let declared = Arc::clone(batch.writes.tables()[index].table());
        let values = checked_cells(table, "bytes of the values of a find", values, max)?;
        let known = declared.index(index_name).ok_or_else(|| {
            Stop::BadCall(format!("the module declares no index `{}` of table `{table}`", shortened(index_name)))
        })?;
        declared.check_find(known, &values).map_err(bad_shape)?;
        // One row above the limit shows that there are too many.
        let limit = max.max_find_rows.saturating_add(1);
        let (reader, changed) = (&mut batch.reader, &batch.writes.tables()[index]);
        let mut found: Vec<Row> = changed.find(known, &values).map(|(_, row)| row.clone()).take(limit).collect();
        let left = limit - found.len();
        if left > 0 {
            let before = deadline.read(|| reader.find(known, &values, changed, left, max.max_read_bytes))?;
            found.extend(before.map_err(|error| read_failure(error, table, max))?);
        }
        within(table, limits::check_find_rows(found.len(), max.max_find_rows))?;
        let mut budget = ReadBudget::new(table, max);
        found.iter().try_for_each(|row| budget.take(row))?;
        found.sort_by_cached_key(|row| declared.key_of(row));
        batch.count_reads(table, found.len(), max)?;
        Ok(found)
    }
}

impl Batch {
    /// The index of a table among those of the batch.
    fn table(&self, name: &str) -> Result<usize, Stop> {
        self.writes
            .table_index(name)
            .ok_or_else(|| Stop::BadCall(format!("the module declares no table `{}`", shortened(name))))
    }

    /// Counts a call that reads rows, or the rows that a call found.
    fn count_reads(&mut self, table: &str, rows: usize, max: &RuntimeLimits) -> Result<(), Stop> {
        self.reads += rows.max(1);
        within(table, limits::check_batch_reads(self.reads, max.max_batch_reads))
    }

    fn check_size(&self, table: &str, max: &RuntimeLimits) -> Result<(), Stop> {
        within(table, limits::check_batch_write(self.writes.bytes(), max.max_batch_write_bytes))
    }
}

/// The host memory that the rows of one call take, and its limit.
struct ReadBudget<'t> {
    table: &'t str,
    bytes: usize,
    max: usize,
}

impl<'t> ReadBudget<'t> {
    fn new(table: &'t str, max: &RuntimeLimits) -> Self {
        Self { table, bytes: 0, max: max.max_read_bytes }
    }

    fn take(&mut self, row: &[Value]) -> Result<(), Stop> {
        self.bytes += cells_bytes(row);
        within(self.table, limits::check_read(self.bytes, self.max))
    }
}

fn keys_from_module(table: &Table, keys: Vec<Vec<types::Value>>, max: &RuntimeLimits) -> Result<Vec<HashedKey>, Stop> {
    keys.into_iter()
        .map(|key| {
            let key = checked_cells(table.name().as_str(), "bytes of a key", key, max)?;
            table.check_key(&key).map_err(bad_shape)?;
            Ok(HashedKey::new(key))
        })
        .collect()
}

/// Converts cells that are no larger than a row may be. Parsing JSON takes many times its size in memory, so the size is checked
/// first.
fn checked_cells(
    table: &str,
    what: &'static str,
    cells: Vec<types::Value>,
    max: &RuntimeLimits,
) -> Result<Vec<Value>, Stop> {
    within(table, limits::check(what, "max_row_bytes", passed_bytes(&cells), max.max_row_bytes))?;
    cells_from_module(cells).map_err(|error| Stop::BadCall(format!("table `{table}`: {error}")))
}

fn within(table: &str, checked: Result<(), LimitError>) -> Result<(), Stop> {
    checked.map_err(|error| Stop::BadCall(format!("table `{table}`: {error}")))
}

fn bad_shape(error: ShapeError) -> Stop {
    Stop::BadCall(error.to_string())
}

/// Tells whose fault a failed read is: the module's if it asked for too much, the host's otherwise.
fn read_failure(error: ReadError, table: &str, max: &RuntimeLimits) -> Stop {
    if error.is::<RowsTooLarge>() {
        let bytes = max.max_read_bytes;
        return Stop::BadCall(format!(
            "table `{table}`: the rows that one call returns take more than {bytes} bytes, the limit max_read_bytes"
        ));
    }
    Stop::Rows(error)
}

/// A name that the module passed, shortened for a message.
fn shortened(name: &str) -> String {
    printable(name, 100)
}

impl Host for Call<'_> {
    fn get_many(
        &mut self,
        table: String,
        keys: Vec<Vec<types::Value>>,
    ) -> wasmtime::Result<Vec<Option<Vec<types::Value>>>> {
        let rows = self.get(&table, keys)?;
        Ok(rows.into_iter().map(|row| row.as_deref().map(cells_to_module)).collect())
    }

    fn put_many(&mut self, table: String, rows: Vec<Vec<types::Value>>) -> wasmtime::Result<()> {
        Ok(self.put(&table, rows)?)
    }

    fn delete_many(&mut self, table: String, keys: Vec<Vec<types::Value>>) -> wasmtime::Result<()> {
        Ok(self.delete(&table, keys)?)
    }

    fn find(
        &mut self,
        table: String,
        index: String,
        values: Vec<types::Value>,
    ) -> wasmtime::Result<Vec<Vec<types::Value>>> {
        let rows = self.find_rows(&table, &index, values)?;
        Ok(rows.iter().map(|row| cells_to_module(row)).collect())
    }
}
