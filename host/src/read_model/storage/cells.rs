//! Binds cells to statements, and reads them from rows.

use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay, json::CanonicalJson};
use sqlx::{
    Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use crate::{
    postgres::{PgDate, PgLocalTimestamp, PgTime, PgTimestamp, array_literal},
    read_model::{
        decimal::Decimal,
        value::{ColumnType, Float, Row, Value},
    },
};

/// A statement whose parameters are being bound.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Binds the cells of one column of many rows as an array.
pub(super) fn bind_column<'q>(
    statement: Statement<'q>,
    column_type: ColumnType,
    cells: impl Iterator<Item = &'q Value>,
) -> Statement<'q> {
    macro_rules! array {
        ($type:ty, $pattern:pat => $value:expr) => {
            statement.bind(
                cells
                    .map(|cell| match cell {
                        $pattern => Some($value),
                        // Null. The row was checked, so no cell has another type.
                        _ => None,
                    })
                    .collect::<Vec<Option<$type>>>(),
            )
        };
    }
    match column_type {
        ColumnType::Text => array!(&str, Value::Text(text) => text.as_str()),
        ColumnType::CiText => array!(&str, Value::CiText(text) => text.as_str()),
        ColumnType::Bool => array!(bool, Value::Bool(bool) => *bool),
        ColumnType::I64 => array!(i64, Value::I64(int) => *int),
        ColumnType::F64 => array!(f64, Value::F64(float) => float.get()),
        ColumnType::Decimal => array!(&str, Value::Decimal(decimal) => decimal.as_str()),
        ColumnType::Timestamp => array!(PgTimestamp, Value::Timestamp(instant) => PgTimestamp(instant.0)),
        ColumnType::LocalTimestamp => {
            array!(PgLocalTimestamp, Value::LocalTimestamp(local) => PgLocalTimestamp(local.0))
        }
        ColumnType::Time => array!(PgTime, Value::Time(time) => PgTime(time.0)),
        ColumnType::Date => array!(PgDate, Value::Date(day) => PgDate(day.0)),
        ColumnType::Uuid => array!(Uuid, Value::Uuid(uuid) => *uuid),
        ColumnType::Json => array!(&str, Value::Json(json) => json.as_str()),
        ColumnType::Bytes => array!(&[u8], Value::Bytes(bytes) => bytes.as_slice()),
        // An array of arrays is one array of two dimensions for Postgres, so each is sent as a text.
        ColumnType::TextArray => array!(String, Value::TextArray(texts) => array_literal(texts)),
        ColumnType::I64Array => array!(String, Value::I64Array(numbers) => array_literal(numbers)),
        ColumnType::F64Array => {
            array!(String, Value::F64Array(numbers) => array_literal(numbers.iter().map(|number| number.get())))
        }
        ColumnType::UuidArray => array!(String, Value::UuidArray(uuids) => array_literal(uuids)),
    }
}

/// Binds one cell. The statement determines its type.
pub(super) fn bind_cell<'q>(statement: Statement<'q>, cell: &'q Value) -> Statement<'q> {
    match cell {
        Value::Null => statement.bind(None::<&str>),
        Value::Text(text) | Value::CiText(text) => statement.bind(text),
        Value::Bool(bool) => statement.bind(*bool),
        Value::I64(int) => statement.bind(*int),
        Value::F64(float) => statement.bind(float.get()),
        Value::Decimal(decimal) => statement.bind(decimal.as_str()),
        Value::Timestamp(instant) => statement.bind(PgTimestamp(instant.0)),
        Value::LocalTimestamp(local) => statement.bind(PgLocalTimestamp(local.0)),
        Value::Time(time) => statement.bind(PgTime(time.0)),
        Value::Date(day) => statement.bind(PgDate(day.0)),
        Value::Uuid(uuid) => statement.bind(*uuid),
        Value::Json(json) => statement.bind(json.as_str()),
        Value::Bytes(bytes) => statement.bind(bytes),
        Value::TextArray(texts) => statement.bind(texts),
        Value::I64Array(numbers) => statement.bind(numbers),
        Value::F64Array(numbers) => statement.bind(numbers.iter().map(|number| number.get()).collect::<Vec<_>>()),
        Value::UuidArray(uuids) => statement.bind(uuids),
    }
}

/// Reads a row whose columns begin at the index `first`, selected by [`select_list`](super::statements::select_list).
pub(super) fn row_from_postgres(
    row: &PgRow,
    first: usize,
    types: impl Iterator<Item = ColumnType>,
) -> Result<Row, sqlx::Error> {
    types.enumerate().map(|(index, column_type)| cell(row, first + index, column_type)).collect()
}

fn cell(row: &PgRow, index: usize, column_type: ColumnType) -> Result<Value, sqlx::Error> {
    let invalid = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    macro_rules! read {
        ($type:ty, $cell:ident => $value:expr) => {
            match row.try_get::<Option<$type>, _>(index)? {
                None => Value::Null,
                Some($cell) => $value,
            }
        };
    }
    Ok(match column_type {
        ColumnType::Text => read!(String, text => Value::Text(text)),
        ColumnType::CiText => read!(String, text => Value::CiText(text)),
        ColumnType::Bool => read!(bool, bool => Value::Bool(bool)),
        ColumnType::I64 => read!(i64, int => Value::I64(int)),
        ColumnType::F64 => read!(f64, float => Value::F64(Float::new(float))),
        ColumnType::Decimal => {
            read!(&str, text => Value::Decimal(Decimal::parse(text).map_err(|error| invalid(error.into()))?))
        }
        ColumnType::Timestamp => read!(PgTimestamp, time => Value::Timestamp(Instant(time.0))),
        ColumnType::LocalTimestamp => {
            read!(PgLocalTimestamp, local => Value::LocalTimestamp(LocalTimestamp(local.0)))
        }
        ColumnType::Time => read!(PgTime, time => Value::Time(TimeOfDay(time.0))),
        ColumnType::Date => read!(PgDate, day => Value::Date(Day(day.0))),
        ColumnType::Uuid => read!(Uuid, uuid => Value::Uuid(uuid)),
        ColumnType::Json => {
            read!(&str, text => Value::Json(CanonicalJson::parse(text).map_err(|error| invalid(error.into()))?))
        }
        ColumnType::Bytes => read!(Vec<u8>, bytes => Value::Bytes(bytes)),
        ColumnType::TextArray => read!(Vec<String>, texts => Value::TextArray(texts)),
        ColumnType::I64Array => read!(Vec<i64>, numbers => Value::I64Array(numbers)),
        ColumnType::F64Array => {
            read!(Vec<f64>, numbers => Value::F64Array(numbers.into_iter().map(Float::new).collect()))
        }
        ColumnType::UuidArray => read!(Vec<Uuid>, uuids => Value::UuidArray(uuids)),
    })
}
