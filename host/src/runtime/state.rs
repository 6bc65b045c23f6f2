//! What an instance holds on the host's side, and how the host answers its calls.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use gnomon_values::{
    cells::row_bytes,
    limits::{self, LimitError},
};
use hashbrown::HashMap;
use tracing::Level;
use wasmtime::{UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::{
    bindings::projection::gnomon::module::{
        cursor,
        log::{self, Level as GuestLevel},
        read_model, types,
    },
    convert::{CellError, cells_from_module, cells_to_module, handed_bytes},
    engine::TICK,
    failure::{ReadError, TookTooLong},
    limits::{Limiter, RuntimeLimits},
    module::ModuleLabel,
    moment::Moment,
    output::{GuestOutput, printable},
    wasi,
};
use crate::read_model::{Key, Row, RowsTooLarge, ShapeError, Table, Value, WriteSet, cells_bytes};

/// The rows of a projection's tables as the events before a batch left them. Its calls may block.
pub trait RowReader: Send {
    /// The rows that have these keys, in the order of the keys.
    ///
    /// # Errors
    /// [`RowsTooLarge`] if they take more than `max_bytes`, which is the module's fault; or they cannot be read now, and
    /// the batch ends and is tried again.
    fn get_many(&mut self, table: &Arc<Table>, keys: &[Key], max_bytes: usize) -> Result<Vec<Option<Row>>, ReadError>;

    /// The rows whose columns of the index equal the values: at most `limit`, in any order.
    ///
    /// # Errors
    /// [`RowsTooLarge`] if they take more than `max_bytes`, which is the module's fault; or they cannot be read now, and
    /// the batch ends and is tried again.
    fn find(
        &mut self,
        table: &Arc<Table>,
        index: &str,
        values: &[Value],
        limit: usize,
        max_bytes: usize,
    ) -> Result<Vec<Row>, ReadError>;
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
    #[error("table `{table}`: {error}")]
    Limit { table: String, error: LimitError },
    #[error("table `{table}`: the rows that one call returns take more than {max} bytes, the limit max_read_bytes")]
    TooLarge { table: String, max: usize },
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
    /// Rows that the call in hand asked for; see [`RuntimeLimits::max_batch_reads`].
    reads: usize,
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
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(wasi::MAX_RESOURCES);
        Self {
            wasi: wasi::context(&moment, &output),
            resources,
            limiter: Limiter::new(&limits),
            output,
            moment,
            limits,
            began: Instant::now(),
            waited: Duration::ZERO,
            reads: 0,
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
        self.reads = 0;
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
        let limits = self.limits;
        let place = self.rows()?.place(table)?;
        within(table, limits::check_get_keys(keys.len(), limits.max_get_keys))?;
        self.count_reads(table, keys.len())?;
        let rows = self.rows()?;
        let writes = &rows.writes.tables()[place];
        let declared = Arc::clone(writes.table());
        let keys = keys_from_module(&declared, keys, &limits)?;

        // What the batch itself changed hides what was there before. A key that is asked for twice is read once.
        let mut unknown = Vec::new();
        let mut places: HashMap<&Key, usize> = HashMap::new();
        let mut repeats = false;
        for key in keys.iter().filter(|key| writes.get(key).is_none()) {
            if *places.entry(key).or_insert(unknown.len()) == unknown.len() {
                unknown.push(key.clone());
            } else {
                repeats = true;
            }
        }
        let began = Instant::now();
        let before = if unknown.is_empty() {
            Ok(Vec::new())
        } else {
            rows.reader.get_many(&declared, &unknown, limits.max_read_bytes)
        };
        let waited = began.elapsed();
        let mut before = before.map_err(|error| read_failure(error, table, &limits))?;

        let writes = &rows.writes.tables()[place];
        let mut room = Room::new(table, &limits);
        let mut found = Vec::with_capacity(keys.len());
        for key in &keys {
            let row = match (writes.get(key), places.get(key).and_then(|&place| before.get_mut(place))) {
                (Some(changed), _) => changed.cloned(),
                (None, Some(row)) if repeats => row.clone(),
                (None, Some(row)) => row.take(),
                (None, None) => None,
            };
            if let Some(row) = &row {
                room.take(row)?;
            }
            found.push(row);
        }
        self.waited += waited;
        Ok(found)
    }

    fn put_rows(&mut self, table: &str, new: Vec<Vec<types::Value>>) -> Result<(), CallError> {
        let limits = self.limits;
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let declared = Arc::clone(rows.writes.tables()[place].table());
        for row in new {
            let row = checked_cells(table, "bytes of a row", row, &limits)?;
            declared.check_row(&row)?;
            // Its one form may be longer than the one that came: 1e15 has sixteen digits.
            let bytes = row_bytes(row.iter().map(Value::heap_bytes));
            within(table, limits::check_row(bytes, limits.max_row_bytes))?;
            rows.writes.put(place, row);
            rows.check_size(table, limits.max_batch_write_bytes)?;
        }
        Ok(())
    }

    fn delete_rows(&mut self, table: &str, keys: Vec<Vec<types::Value>>) -> Result<(), CallError> {
        let limits = self.limits;
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let keys = keys_from_module(rows.writes.tables()[place].table(), keys, &limits)?;
        for key in keys {
            rows.writes.delete(place, key);
        }
        rows.check_size(table, limits.max_batch_write_bytes)
    }

    fn find_rows(&mut self, table: &str, index: &str, values: Vec<types::Value>) -> Result<Vec<Row>, CallError> {
        let limits = self.limits;
        let max = limits.max_find_rows;
        self.count_reads(table, 0)?;
        let rows = self.rows()?;
        let place = rows.place(table)?;
        let declared = Arc::clone(rows.writes.tables()[place].table());
        let values = checked_cells(table, "bytes of the values of a find", values, &limits)?;
        let known =
            declared.index(index).ok_or_else(|| CallError::NoIndex { table: table.to_owned(), index: short(index) })?;
        declared.check_find(known, &values)?;
        // One more than may be, to know that there are too many. Rows that the batch deleted or moved away may be among them.
        let changed = rows.writes.tables()[place].keys().count();
        let began = Instant::now();
        let found = rows.reader.find(&declared, index, &values, max + changed + 1, limits.max_read_bytes);
        let waited = began.elapsed();
        let mut found = found.map_err(|error| read_failure(error, table, &limits))?;
        rows.writes.tables()[place].overlay_found(known, &values, &mut found);
        within(table, limits::check_find_rows(found.len(), max))?;
        let mut room = Room::new(table, &limits);
        found.iter().try_for_each(|row| room.take(row))?;
        found.sort_by_cached_key(|row| declared.key_of(row));
        self.waited += waited;
        self.count_reads(table, found.len())?;
        Ok(found)
    }

    /// Counts a call that reads rows, or the rows that one found.
    fn count_reads(&mut self, table: &str, rows: usize) -> Result<(), CallError> {
        self.reads += rows.max(1);
        within(table, limits::check_batch_reads(self.reads, self.limits.max_batch_reads))
    }
}

/// What the rows that one call returns may still take of the host's memory.
struct Room<'t> {
    table: &'t str,
    bytes: usize,
    max: usize,
}

impl<'t> Room<'t> {
    fn new(table: &'t str, limits: &RuntimeLimits) -> Self {
        Self { table, bytes: 0, max: limits.max_read_bytes }
    }

    fn take(&mut self, row: &[Value]) -> Result<(), CallError> {
        self.bytes += cells_bytes(row);
        within(self.table, limits::check_read(self.bytes, self.max))
    }
}

impl Rows {
    fn place(&self, table: &str) -> Result<usize, CallError> {
        self.writes.place(table).ok_or_else(|| CallError::NoTable(short(table)))
    }

    fn check_size(&self, table: &str, max: usize) -> Result<(), CallError> {
        within(table, limits::check_batch_write(self.writes.bytes(), max))
    }
}

fn keys_from_module(
    table: &Table,
    keys: Vec<Vec<types::Value>>,
    limits: &RuntimeLimits,
) -> Result<Vec<Key>, CallError> {
    keys.into_iter()
        .map(|key| {
            let key = checked_cells(table.name().as_str(), "bytes of a key", key, limits)?;
            table.check_key(&key)?;
            Ok(key)
        })
        .collect()
}

/// Takes over cells that are no larger than a row may be. Reading JSON takes many times its size in memory, so the size is
/// looked at first.
fn checked_cells(
    table: &str,
    what: &'static str,
    cells: Vec<types::Value>,
    limits: &RuntimeLimits,
) -> Result<Vec<Value>, CallError> {
    within(table, limits::check(what, "max_row_bytes", handed_bytes(&cells), limits.max_row_bytes))?;
    cells_from_module(cells).map_err(|error| CallError::Cell { table: table.to_owned(), error })
}

fn within(table: &str, checked: Result<(), LimitError>) -> Result<(), CallError> {
    checked.map_err(|error| CallError::Limit { table: table.to_owned(), error })
}

/// What went wrong where rows are read: too much for the module, or trouble of the host.
fn read_failure(error: ReadError, table: &str, limits: &RuntimeLimits) -> CallError {
    if error.is::<RowsTooLarge>() {
        return CallError::TooLarge { table: table.to_owned(), max: limits.max_read_bytes };
    }
    CallError::Rows(error)
}

/// A name that the module made up and that is no name of its tables.
fn short(name: &str) -> String {
    printable(name, 100)
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
