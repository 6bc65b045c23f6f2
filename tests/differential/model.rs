//! A plain fold of the same events: maps, and the limits as they are documented. It knows of the SDK the types of values.

use std::{cmp::Ordering, collections::BTreeMap};

use differential_guest::{Everything, Found, KeyOf, KeyTypes, Operation, Pair, Search, Shapes, longer, summary};
use gnomon_sdk::{
    Column, Table,
    prelude::*,
    schema::{Float, IndexKind, IndexSchema, TableSchema, Value},
};

use crate::{
    Expected, cells,
    generate::{Case, Told},
};

/// The tables, and what the event in progress has changed in them.
#[derive(Default)]
pub(crate) struct Model {
    tables: BTreeMap<&'static str, BTreeMap<Key, Row>>,
    /// What each changed row was before.
    before: Vec<(&'static str, Key, Option<Row>)>,
    /// Rows that the event has changed and that were not checked since.
    touched: Vec<(TableSchema, Key)>,
    /// Why the event cannot be handled.
    reasons: Vec<String>,
}

type Row = Vec<Value>;

#[derive(Clone, PartialEq, Eq)]
struct Key(Vec<Value>);

const NUL: &str = "the text contains NUL (\\0), which Postgres cannot hold";

/// 0001-01-01T00:00:00Z
const FIRST_INSTANT: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z
const LAST_INSTANT: i64 = 253_402_300_799_999_999;
/// 0001-01-01
const FIRST_DAY: i32 = -719_162;
/// 9999-12-31
const LAST_DAY: i32 = 2_932_896;
/// 23:59:59.999999
const LAST_TIME: i64 = 86_399_999_999;
/// Stands for an instant within a leap second.
const LEAP: Value = Value::Timestamp(i64::MIN + 1);
/// Stands for a local timestamp within a leap second.
const LOCAL_LEAP: Value = Value::LocalTimestamp(i64::MIN + 1);
/// Stands for a time of day within a leap second.
const LEAP_TIME: Value = Value::Time(i64::MIN + 1);

impl Model {
    pub(crate) fn fold(case: &Case) -> Expected {
        Self::fold_first(case, case.events.len())
    }

    /// Folds only so many events of a case.
    pub(crate) fn fold_first(case: &Case, events: usize) -> Expected {
        let mut model = Self::default();
        let mut failures = Vec::new();
        for (position, told) in (1..).zip(&case.events[..events]) {
            for (number, operation) in (0..).zip(&told.operations) {
                if let Err(reason) = model.run(operation, told, position, number) {
                    // It ends the event at once, and counts for more than what went wrong before.
                    model.reasons = vec![reason];
                    model.touched.clear();
                    break;
                }
            }
            model.check(|_| true);
            let reasons = std::mem::take(&mut model.reasons);
            if !reasons.is_empty() {
                model.undo();
                failures.push((position.cast_unsigned(), reasons));
                if !case.skip {
                    break;
                }
            }
            model.before.clear();
        }
        let schemas = [Everything::SCHEMA, Pair::SCHEMA, KeyTypes::SCHEMA, Shapes::SCHEMA, Found::SCHEMA];
        let rows = schemas.into_iter().map(|schema| {
            let rows = model.tables.entry(schema.name).or_default().values();
            let mut rows: Vec<Vec<String>> = rows.map(|row| row.iter().map(cells::of_kit).collect()).collect();
            rows.sort();
            (schema.name.to_owned(), rows)
        });
        Expected { rows: rows.collect(), failures }
    }

    fn run(&mut self, operation: &Operation, told: &Told, position: i64, number: i64) -> Result<(), String> {
        match operation {
            Operation::PutEverything(row, text, list) => {
                let cells = everything(row.longer(*text, *list));
                self.set(Everything::SCHEMA, key_in(&Everything::SCHEMA, &cells), Some(cells));
            }
            Operation::PutPair(row, more) => self.put(&row.longer(*more)),
            Operation::PutKeyTypes(row, more) => {
                let cells = key_types(&row.longer(*more));
                self.set(KeyTypes::SCHEMA, key_in(&KeyTypes::SCHEMA, &cells), Some(cells));
            }
            Operation::PutShapes(row, title, text) => {
                let cells = shapes(row.longer(*title, *text));
                self.set(Shapes::SCHEMA, key_in(&Shapes::SCHEMA, &cells), Some(cells));
            }
            Operation::Add(key, by) => {
                let (schema, key) = key_of(key);
                self.add(schema, key, *by, None);
            }
            Operation::AddPair(left, right, by) => {
                let new = Pair { left: left.clone(), right: *right, number: 0, note: None };
                self.add(Pair::SCHEMA, pair_key(left, *right), *by, Some(new.to_cells().unwrap()));
            }
            Operation::Delete(key) => {
                let (schema, key) = key_of(key);
                if self.can_be(&key) {
                    self.set(schema, key, None);
                }
            }
            Operation::CopyPair([(left, right), (other_left, other_right)]) => {
                let key = pair_key(left, *right);
                if self.can_be(&key)
                    && let Some(row) = self.table(Pair::SCHEMA).get(&key).cloned()
                {
                    let other = pair_key(other_left, *other_right);
                    let row = other.0.iter().chain(&row[2..]).cloned().collect();
                    self.set(Pair::SCHEMA, other, Some(row));
                }
            }
            Operation::Fill(left, count) => (0..*count).for_each(|right| {
                self.put(&Pair { left: left.clone(), right, number: right, note: Some(left.clone()) });
            }),
            Operation::Find(search) => {
                let (rows, sum, keys) = self.find(search);
                let tags = told.tags.iter().map(|&tag| tag.to_owned()).collect();
                self.put(&Found { position, operation: number, rows, sum, keys, tags });
            }
            Operation::ChangeKey(id) => {
                let key = Key(vec![Value::I64(*id)]);
                if let Some(mut row) = self.table(Everything::SCHEMA).get(&key).cloned() {
                    let Value::I64(id) = &mut row[0] else { panic!("it is a number") };
                    *id = id.wrapping_add(1);
                    self.set(Everything::SCHEMA, key, Some(row));
                }
            }
            Operation::Fail(message) => return Err(message.clone()),
            Operation::Log(_) => {}
        }
        Ok(())
    }

    fn table(&mut self, schema: TableSchema) -> &mut BTreeMap<Key, Row> {
        self.tables.entry(schema.name).or_default()
    }

    fn put<T: Table>(&mut self, row: &T) {
        let cells = row.to_cells().unwrap();
        self.set(T::SCHEMA, key_in(&T::SCHEMA, &cells), Some(cells));
    }

    fn set(&mut self, schema: TableSchema, key: Key, row: Option<Row>) {
        let before = match row {
            Some(row) => self.table(schema).insert(key.clone(), row),
            None => self.table(schema).remove(&key),
        };
        self.before.push((schema.name, key.clone(), before));
        self.touched.push((schema, key));
    }

    fn undo(&mut self) {
        for (table, key, row) in std::mem::take(&mut self.before).into_iter().rev() {
            let rows = self.tables.entry(table).or_default();
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        self.touched.clear();
    }

    /// Whether a row can have the key at all.
    fn can_be(&mut self, key: &Key) -> bool {
        let reason = key.0.iter().find_map(refusal).or_else(|| too_long("the key", key.0.iter()));
        let can_be = reason.is_none();
        self.reasons.extend(reason);
        can_be
    }

    fn add(&mut self, schema: TableSchema, key: Key, by: i64, new: Option<Row>) {
        if !self.can_be(&key) {
            return;
        }
        let Some(mut row) = self.table(schema).get(&key).cloned().or(new) else { return };
        let column_index = column_index(&schema, "number");
        let Value::I64(number) = &mut row[column_index] else { panic!("it is a number") };
        *number = number.wrapping_add(by);
        self.set(schema, key, Some(row));
    }

    /// Checks the rows that were changed, of some tables.
    fn check(&mut self, of: impl Fn(&TableSchema) -> bool) {
        let (now, later) = std::mem::take(&mut self.touched).into_iter().partition(|(schema, _)| of(schema));
        self.touched = later;
        let now: Vec<(TableSchema, Key)> = now;
        for (schema, key) in now {
            let Some(row) = self.table(schema).get(&key).cloned() else { continue };
            self.reasons.extend(wrong(&schema, &key, &row));
        }
    }

    fn find(&mut self, search: &Search) -> (i64, i64, String) {
        match search {
            Search::Text(text) => summary::everything(self.found([Some(("text", cell(text)))])),
            Search::Mix(flag, number, date) => {
                let date = number.and(*date).map(|date| ("maybe_day", day(date)));
                let number = number.map(|number| ("number", cell(&number)));
                summary::everything(self.found([Some(("flag", cell(flag))), number, date]))
            }
            Search::Float(bits, decimal) => {
                let float = Value::F64(Float::new(f64::from_bits(*bits)));
                let decimal = decimal.map(|decimal| ("maybe_decimal", cell(&decimal)));
                summary::everything(self.found([Some(("float", float)), decimal]))
            }
            Search::Bytes(bytes, text) => {
                let text = text.as_ref().map(|text| ("maybe_text", cell(text)));
                summary::everything(self.found([Some(("bytes", cell(bytes))), text]))
            }
            Search::Right(right, note) => {
                let note = note.as_ref().map(|note| ("note", cell(note)));
                summary::pairs(self.found([Some(("right", cell(right))), note]))
            }
            Search::Note(note) => summary::pairs(self.found([Some(("note", cell(note)))])),
            Search::Day(date, number) => {
                let number = number.map(|number| ("number", cell(&number)));
                summary::key_types(self.found([Some(("day", day(*date))), number]))
            }
            Search::Local(date_time, time) => {
                let time = time.map(|time| ("maybe_time", time_of_day(time)));
                summary::shapes(self.found([Some(("local", local(*date_time))), time]))
            }
            Search::Amount(amount, more) => {
                let flag = more.map(|(flag, _)| ("flag", cell(&flag)));
                let time = more.map(|(_, time)| ("instant", instant(time)));
                summary::key_types(self.found([Some(("amount", cell(amount))), flag, time]))
            }
        }
    }

    fn found<T: Table>(&mut self, wanted: impl IntoIterator<Item = Option<(&'static str, Value)>>) -> Vec<T> {
        let wanted = wanted.into_iter().flatten();
        let wanted: Vec<(usize, Value)> =
            wanted.map(|(column, value)| (column_index(&T::SCHEMA, column), value)).collect();
        if let Some(reason) = wanted.iter().find_map(|(_, value)| refusal(value)) {
            self.reasons.push(reason);
            return Vec::new();
        }
        let reasons = self.reasons.len();
        self.check(|schema| schema.name == T::SCHEMA.name);
        if self.reasons.len() > reasons {
            return Vec::new();
        }
        let rows = self.table(T::SCHEMA).values();
        let rows = rows.filter(|row| wanted.iter().all(|(column_index, value)| row[*column_index] == *value));
        let rows: Vec<T> = rows.map(|row| T::from_cells(row.clone()).unwrap()).collect();
        if rows.len() > 10_000 {
            self.reasons.push("table `pairs`: rows of one find: 10001; the limit max_find_rows is 10000".to_owned());
            return Vec::new();
        }
        rows
    }
}

fn cell<C: Column>(value: &C) -> Value {
    value.to_value().unwrap()
}

fn instant(time: Timestamp) -> Value {
    if time.timestamp_subsec_nanos() >= 1_000_000_000 { LEAP } else { Value::Timestamp(time.timestamp_micros()) }
}

fn day(date: Date) -> Value {
    let days = date.signed_duration_since(Date::default()).num_days();
    Value::Date(days.try_into().unwrap())
}

fn local(time: LocalTimestamp) -> Value {
    match instant(time.and_utc()) {
        Value::Timestamp(micros) if micros != i64::MIN + 1 => Value::LocalTimestamp(micros),
        _ => LOCAL_LEAP,
    }
}

fn time_of_day(time: TimeOfDay) -> Value {
    match local(Date::default().and_time(time)) {
        Value::LocalTimestamp(micros) if micros != i64::MIN + 1 => Value::Time(micros),
        _ => LEAP_TIME,
    }
}

/// The cells of a row. What no cell can hold may be in a row until the event ends, or until it is searched: here it is a mark
/// that [`refusal`] knows.
fn everything(row: Everything) -> Row {
    let (time, date) = (row.instant, row.day);
    let (maybe_time, maybe_date) = (row.maybe_instant, row.maybe_day);
    let json = json_refusal(&row.json);
    let mut plain =
        Everything { instant: Timestamp::default(), day: Date::default(), maybe_instant: None, maybe_day: None, ..row };
    if json.is_some() {
        plain.json = serde_json::Value::Null;
    }
    let mut cells = plain.to_cells().unwrap();
    let marks = [
        Some(("instant", instant(time))),
        Some(("day", day(date))),
        json.map(|reason| ("json", Value::Text(format!("\0{reason}")))),
        maybe_time.map(|time| ("maybe_instant", instant(time))),
        maybe_date.map(|date| ("maybe_day", day(date))),
    ];
    for (column, mark) in marks.into_iter().flatten() {
        cells[column_index(&Everything::SCHEMA, column)] = mark;
    }
    cells
}

fn key_types(row: &KeyTypes) -> Row {
    let plain = KeyTypes {
        instant: Timestamp::default(),
        day: Date::default(),
        local: LocalTimestamp::default(),
        time: TimeOfDay::default(),
        ..row.clone()
    };
    let mut cells = plain.to_cells().unwrap();
    cells[column_index(&KeyTypes::SCHEMA, "instant")] = instant(row.instant);
    cells[column_index(&KeyTypes::SCHEMA, "day")] = day(row.day);
    cells[column_index(&KeyTypes::SCHEMA, "local")] = local(row.local);
    cells[column_index(&KeyTypes::SCHEMA, "time")] = time_of_day(row.time);
    cells
}

fn shapes(row: Shapes) -> Row {
    let Shapes { local: at, time, maybe_local, maybe_time, .. } = row;
    let (local_kept, time_kept) = (LocalTimestamp::default(), TimeOfDay::default());
    let plain = Shapes { local: local_kept, time: time_kept, maybe_local: None, maybe_time: None, ..row };
    let mut cells = plain.to_cells().unwrap();
    let marks = [
        Some(("local", local(at))),
        Some(("time", time_of_day(time))),
        maybe_local.map(|at| ("maybe_local", local(at))),
        maybe_time.map(|time| ("maybe_time", time_of_day(time))),
    ];
    for (column, mark) in marks.into_iter().flatten() {
        cells[column_index(&Shapes::SCHEMA, column)] = mark;
    }
    cells
}

/// Why no cell can hold the JSON, of what `generate.rs` makes.
fn json_refusal(json: &serde_json::Value) -> Option<&'static str> {
    let text = json.to_string();
    if text.contains("\\u0000") {
        Some("contains NUL (\\u0000), which Postgres cannot hold")
    } else if text.contains("131072") || text.contains("16384") {
        Some("; the limits are 131072 and 16383, those of Postgres")
    } else if text.matches("131071").count() * 131_074 > 1_048_576 + text.len() {
        Some("longer by more than the limit of 1048576 bytes that exponents may add")
    } else {
        None
    }
}

/// Why a row, a key or a search cannot have the cell.
fn refusal(cell: &Value) -> Option<String> {
    let reason = match cell {
        leap if [LOCAL_LEAP, LEAP_TIME].contains(leap) => "; write second 59, or the second that follows",
        leap if *leap == LEAP => "), or the second that follows",
        Value::Timestamp(..FIRST_INSTANT) => " is before 0001-01-01T00:00:00Z, the first instant that Gnomon keeps",
        Value::Timestamp(micros) if *micros > LAST_INSTANT => {
            " is after 9999-12-31T23:59:59.999999Z, the last instant that Gnomon keeps"
        }
        Value::LocalTimestamp(..FIRST_INSTANT) => {
            " is before 0001-01-01T00:00:00, the first date and time that Gnomon keeps"
        }
        Value::LocalTimestamp(micros) if *micros > LAST_INSTANT => {
            " is after 9999-12-31T23:59:59.999999, the last date and time that Gnomon keeps"
        }
        Value::Time(micros) if !(0..=LAST_TIME).contains(micros) => {
            " is not a time of day; the last is 23:59:59.999999, 86399999999 microseconds"
        }
        Value::CiText(text) if text.contains('\0') => NUL,
        Value::TextArray(texts) if texts.iter().any(|text| text.contains('\0')) => NUL,
        Value::Date(..FIRST_DAY) => " is before 0001-01-01, the first day that Gnomon keeps",
        Value::Date(days) if *days > LAST_DAY => " is after 9999-12-31, the last day that Gnomon keeps",
        Value::Text(text) => match text.strip_prefix('\0') {
            Some(of_json) => of_json,
            None if text.contains('\0') => NUL,
            None => return None,
        },
        _ => return None,
    };
    Some(reason.to_owned())
}

/// The first thing that is wrong with a row.
fn wrong(schema: &TableSchema, key: &Key, row: &Row) -> Option<String> {
    if let Some(reason) = row.iter().find_map(refusal) {
        return Some(reason);
    }
    if key_in(schema, row) != *key {
        return Some("delete the row and put a row with the other key instead".to_owned());
    }
    let cells = |columns: &'static [&'static str]| columns.iter().map(|column| &row[column_index(schema, column)]);
    let index = |index: &IndexSchema| match index.kind {
        IndexKind::Btree(columns) => too_long(&format!("index `{}`", index.name), cells(columns)),
        IndexKind::Gin(columns) => cells(columns).find_map(|cell| {
            let Value::TextArray(texts) = cell else { return None };
            let each = |text: &String| too_long_bytes(&format!("index `{}`", index.name), text.len());
            texts.iter().find_map(each)
        }),
        IndexKind::FullText { .. } => None,
    };
    too_long("the key", cells(schema.key)).or_else(|| schema.indexes.iter().find_map(index)).or_else(|| {
        let bytes: usize = row.iter().map(|cell| size(cell) + 8).sum();
        let words = format!("table `{}`: bytes of a row: {bytes}; the limit max_row_bytes is 1048576", schema.name);
        (bytes > 1_048_576).then_some(words)
    })
}

fn too_long<'v>(what: &str, cells: impl Iterator<Item = &'v Value>) -> Option<String> {
    too_long_bytes(what, cells.map(size).sum())
}

fn too_long_bytes(what: &str, bytes: usize) -> Option<String> {
    let words =
        format!("the values of {what} have {bytes} bytes; an index holds at most 2400 (put a digest there instead)");
    (bytes > 2400).then_some(words)
}

fn size(cell: &Value) -> usize {
    match cell {
        Value::Text(text) | Value::CiText(text) | Value::Decimal(text) | Value::Json(text) => text.len(),
        Value::TextArray(texts) => texts.iter().map(|text| text.len() + 24).sum(),
        Value::I64Array(numbers) => numbers.len() * 8,
        Value::F64Array(numbers) => numbers.len() * 8,
        Value::UuidArray(uuids) => uuids.len() * 16,
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

fn column_index(schema: &TableSchema, column: &str) -> usize {
    schema.columns.iter().position(|declared| declared.name == column).unwrap()
}

fn key_in(schema: &TableSchema, row: &Row) -> Key {
    Key(schema.key.iter().map(|column| row[column_index(schema, column)].clone()).collect())
}

fn pair_key(left: &str, right: i64) -> Key {
    Key(vec![Value::Text(left.to_owned()), Value::I64(right)])
}

fn key_of(key: &KeyOf) -> (TableSchema, Key) {
    match key {
        KeyOf::Everything(id) => (Everything::SCHEMA, Key(vec![Value::I64(*id)])),
        KeyOf::Pair(left, right, more) => (Pair::SCHEMA, pair_key(&longer(left, *more), *right)),
        KeyOf::Shapes(id) => (Shapes::SCHEMA, Key(vec![Value::I64(*id)])),
        KeyOf::KeyTypes(row) => (KeyTypes::SCHEMA, key_in(&KeyTypes::SCHEMA, &key_types(row))),
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let compare = |(left, right): (&Value, &Value)| match (left, right) {
            (Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Value::I64(left), Value::I64(right))
            | (Value::Timestamp(left), Value::Timestamp(right))
            | (Value::LocalTimestamp(left), Value::LocalTimestamp(right))
            | (Value::Time(left), Value::Time(right)) => left.cmp(right),
            (Value::Date(left), Value::Date(right)) => left.cmp(right),
            (Value::Decimal(left), Value::Decimal(right)) => {
                left.parse::<Decimal>().unwrap().cmp(&right.parse::<Decimal>().unwrap())
            }
            (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
            (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
            other => panic!("no key has {other:?}"),
        };
        self.0.iter().zip(&other.0).map(compare).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
