//! What an instance holds on the host's side, and how the host answers its calls.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::Level;
use wasmtime::{UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{
    bindings::projection::gnomon::module::{
        cursor,
        log::{self, Level as GuestLevel},
        read_model, types,
    },
    convert::{CellError, cells_from_module, cells_to_module},
    engine::TICK,
    failure::{ReadError, TookTooLong},
    limits::{Limiter, RuntimeLimits},
    module::ModuleLabel,
    moment::Moment,
    output::GuestOutput,
    wasi,
};
use crate::read_model::{Key, Row, ShapeError, Table, TableWrites, Value, WriteSet};

/// The rows of a projection's tables as the events before a batch left them. Its calls may block.
pub trait RowReader: Send {
    /// The rows that have these keys, in the order of the keys.
    ///
    /// # Errors
    /// They cannot be read now; the batch ends and is tried again.
    fn get_many(&mut self, table: &Arc<Table>, keys: &[Key]) -> Result<Vec<Option<Row>>, ReadError>;

    /// The rows whose columns of the index equal the values: at most `limit`, in any order.
    ///
    /// # Errors
    /// They cannot be read now; the batch ends and is tried again.
    fn find(&mut self, table: &Arc<Table>, index: &str, values: &[Value], limit: usize) -> Result<Vec<Row>, ReadError>;
}

/// Why the host does not answer a call of a module: it ends the batch.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("{0}")]
    Rows(ReadError),
    #[error("there is no table `{0}` among those that the module declared")]
    NoTable(String),
    #[error("table `{table}` has no index `{index}` among those that the module declared")]
    NoIndex { table: String, index: String },
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("table `{table}`: {error}")]
    Cell { table: String, error: CellError },
    #[error("table `{table}`: {what}: {found}; the limit {limit} is {max}")]
    Limit { table: String, what: &'static str, limit: &'static str, found: usize, max: usize },
    #[error("it turned to position {0}, which is not in the batch")]
    NoPosition(u64),
    #[error("rows can be read and written while events are handled only")]
    NoRows,
}

/// What an instance holds.
pub(super) struct GuestState {
    wasi: WasiCtx,
    resources: ResourceTable,
    pub(super) limiter: Limiter,
    pub(super) output: GuestOutput,
    moment: Moment,
    limits: RuntimeLimits,
    /// When the call in hand began, and how much of the time since then it waited for the host.
    began: Instant,
    waited: Duration,
    /// Position and time of each event of the batch in hand, in the order of positions.
    events: Vec<(u64, i64)>,
    /// The event in hand, by its place in `events`.
    current: usize,
    /// The rows that the batch in hand may touch; none for an upcaster.
    rows: Option<Rows>,
}

/// A projection's rows, while it handles a batch.
struct Rows {
    writes: WriteSet,
    reader: Box<dyn RowReader>,
}

impl GuestState {
    pub(super) fn new(label: Arc<ModuleLabel>, limits: RuntimeLimits) -> Self {
        let moment = Moment::default();
        let output = GuestOutput::new(label, moment.clone());
        Self {
            wasi: wasi::context(&moment, &output),
            resources: ResourceTable::new(),
            limiter: Limiter::new(&limits),
            output,
            moment,
            limits,
            began: Instant::now(),
            waited: Duration::ZERO,
            events: Vec::new(),
            current: 0,
            rows: None,
        }
    }

    /// Begins a call on events, by position and time; the clock of its deadline starts.
    pub(super) fn begin(&mut self, events: Vec<(u64, i64)>) {
        self.output.begin_batch();
        let (position, time) = events.first().copied().unwrap_or_default();
        self.moment.set(position, time);
        self.events = events;
        self.current = 0;
        self.began = Instant::now();
        self.waited = Duration::ZERO;
    }

    /// Lets the call read and write rows, until [`Self::take_writes`].
    pub(super) fn lend_rows(&mut self, tables: &[Arc<Table>], reader: Box<dyn RowReader>) {
        self.rows = Some(Rows { writes: WriteSet::new(tables), reader });
    }

    /// What the call changed.
    pub(super) fn take_writes(&mut self) -> Option<WriteSet> {
        self.rows.take().map(|rows| rows.writes)
    }

    /// The position of the event in hand.
    pub(super) fn position(&self) -> u64 {
        self.moment.position()
    }

    /// What happens at each tick of the engine: a call that computed for too long ends.
    pub(super) fn check_deadline(&self) -> wasmtime::Result<UpdateDeadline> {
        let limit = self.limits.max_batch_time;
        let computed = self.began.elapsed().saturating_sub(self.waited);
        if computed > limit {
            return Err(wasmtime::Error::new(TookTooLong { limit }));
        }
        let ticks = (limit - computed).as_nanos().div_ceil(TICK.as_nanos());
        Ok(UpdateDeadline::Continue(u64::try_from(ticks).unwrap_or(u64::MAX).max(1)))
    }

    fn rows(&mut self) -> Result<&mut Rows, CallError> {
        self.rows.as_mut().ok_or(CallError::NoRows)
    }

    /// Turns to the event at a position. A module goes through its batch in order, so it is this one or the next.
    fn turn_to(&mut self, position: u64) -> Result<(), CallError> {
        let is_at = |place: &usize| self.events.get(*place).is_some_and(|(other, _)| *other == position);
        let place = [self.current, self.current + 1]
            .into_iter()
            .find(is_at)
            .or_else(|| self.events.binary_search_by_key(&position, |(other, _)| *other).ok())
            .ok_or(CallError::NoPosition(position))?;
        self.current = place;
        self.moment.set(position, self.events[place].1);
        Ok(())
    }

    fn get_rows(&mut self, table: &str, keys: Vec<Vec<types::Value>>) -> Result<Vec<Option<Row>>, CallError> {
        let max = self.limits.max_get_keys;
        let began = Instant::now();
        let rows = self.rows()?;
        let writes = rows.table(table)?;
        if keys.len() > max {
            return Err(limit(table, "keys of one get-many", "max_get_keys", keys.len(), max));
        }
        let keys = keys_from_module(writes.table(), keys)?;
        // What the batch itself changed hides what was there before.
        let unknown: Vec<Key> = keys.iter().filter(|key| writes.get(key).is_none()).cloned().collect();
        let mut before = if unknown.is_empty() {
            Vec::new().into_iter()
        } else {
            let table = Arc::clone(writes.table());
            rows.reader.get_many(&table, &unknown).map_err(CallError::Rows)?.into_iter()
        };
        let writes = rows.table(table)?;
        let found = keys
            .iter()
            .map(|key| match writes.get(key) {
                Some(changed) => changed.cloned(),
                None => before.next().flatten(),
            })
            .collect();
        self.waited += began.elapsed();
        Ok(found)
    }

    fn put_rows(&mut self, table: &str, new: Vec<Vec<types::Value>>) -> Result<(), CallError> {
        let (max_row, max_batch) = (self.limits.max_row_bytes, self.limits.max_batch_write_bytes);
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let declared = Arc::clone(rows.writes.tables()[place].table());
        for row in new {
            let row = cells_from_module(row).map_err(|error| CallError::Cell { table: table.to_owned(), error })?;
            declared.check_row(&row)?;
            let bytes = row.iter().map(|cell| cell.heap_bytes() + 8).sum();
            if bytes > max_row {
                return Err(limit(table, "bytes of a row", "max_row_bytes", bytes, max_row));
            }
            rows.writes.put(place, row);
        }
        rows.check_size(table, max_batch)
    }

    fn delete_rows(&mut self, table: &str, keys: Vec<Vec<types::Value>>) -> Result<(), CallError> {
        let max_batch = self.limits.max_batch_write_bytes;
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let keys = keys_from_module(rows.writes.tables()[place].table(), keys)?;
        for key in keys {
            rows.writes.delete(place, key);
        }
        rows.check_size(table, max_batch)
    }

    fn find_rows(&mut self, table: &str, index: &str, values: Vec<types::Value>) -> Result<Vec<Row>, CallError> {
        let max = self.limits.max_find_rows;
        let began = Instant::now();
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let declared = Arc::clone(rows.writes.tables()[place].table());
        let values = cells_from_module(values).map_err(|error| CallError::Cell { table: table.to_owned(), error })?;
        let known = declared
            .index(index)
            .ok_or_else(|| CallError::NoIndex { table: table.to_owned(), index: index.to_owned() })?;
        declared.check_find(known, &values)?;
        // One more than may be, to know that there are too many. Rows that the batch deleted or moved away may be among them.
        let changed = rows.writes.tables()[place].keys().count();
        let mut found = rows.reader.find(&declared, index, &values, max + changed + 1).map_err(CallError::Rows)?;
        rows.writes.tables()[place].overlay_found(known, &values, &mut found);
        if found.len() > max {
            return Err(limit(table, "rows of one find", "max_find_rows", found.len(), max));
        }
        found.sort_by_cached_key(|row| declared.key_of(row));
        self.waited += began.elapsed();
        Ok(found)
    }
}

impl Rows {
    fn place(&self, table: &str) -> Result<usize, CallError> {
        self.writes.place(table).ok_or_else(|| CallError::NoTable(table.to_owned()))
    }

    fn table(&self, table: &str) -> Result<&TableWrites, CallError> {
        Ok(&self.writes.tables()[self.place(table)?])
    }

    fn check_size(&self, table: &str, max: usize) -> Result<(), CallError> {
        let bytes = self.writes.bytes();
        if bytes > max {
            return Err(limit(table, "bytes of the rows of one batch", "max_batch_write_bytes", bytes, max));
        }
        Ok(())
    }
}

fn keys_from_module(table: &Table, keys: Vec<Vec<types::Value>>) -> Result<Vec<Key>, CallError> {
    keys.into_iter()
        .map(|key| {
            let key = cells_from_module(key)
                .map_err(|error| CallError::Cell { table: table.name().as_str().to_owned(), error })?;
            table.check_key(&key)?;
            Ok(key)
        })
        .collect()
}

fn limit(table: &str, what: &'static str, limit: &'static str, found: usize, max: usize) -> CallError {
    CallError::Limit { table: table.to_owned(), what, limit, found, max }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

impl types::Host for GuestState {}

impl cursor::Host for GuestState {
    fn at(&mut self, position: u64) -> wasmtime::Result<()> {
        Ok(self.turn_to(position)?)
    }
}

impl log::Host for GuestState {
    fn write(&mut self, level: GuestLevel, message: String) -> wasmtime::Result<()> {
        let level = match level {
            GuestLevel::Trace => Level::TRACE,
            GuestLevel::Debug => Level::DEBUG,
            GuestLevel::Info => Level::INFO,
            GuestLevel::Warn => Level::WARN,
            GuestLevel::Error => Level::ERROR,
        };
        self.output.line(level, &message);
        Ok(())
    }
}

impl read_model::Host for GuestState {
    fn get_many(
        &mut self,
        table: String,
        keys: Vec<Vec<types::Value>>,
    ) -> wasmtime::Result<Vec<Option<Vec<types::Value>>>> {
        let rows = self.get_rows(&table, keys)?;
        Ok(rows.into_iter().map(|row| row.as_deref().map(cells_to_module)).collect())
    }

    fn put_many(&mut self, table: String, rows: Vec<Vec<types::Value>>) -> wasmtime::Result<()> {
        Ok(self.put_rows(&table, rows)?)
    }

    fn delete_many(&mut self, table: String, keys: Vec<Vec<types::Value>>) -> wasmtime::Result<()> {
        Ok(self.delete_rows(&table, keys)?)
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
