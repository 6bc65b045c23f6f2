//! The values of cells.

use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay, cells, json::CanonicalJson};
use uuid::Uuid;

pub use gnomon_values::{ColumnType, Float};

/// The expression for an `expression` as JSON shows it: an instant as everywhere in Gnomon, with `Z`, where Postgres writes `+00:00`.
/// The session's time zone must be UTC.
pub(super) fn shown_in_json(column_type: ColumnType, expression: &str) -> Option<String> {
    let is_instant = column_type == ColumnType::Timestamp;
    is_instant.then(|| format!("replace(to_json({expression})#>>'{{}}', '+00:00', 'Z')"))
}

/// The name of a column type in SQL.
#[must_use]
pub(in crate::read_model) fn sql_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text | ColumnType::CiText => "text",
        ColumnType::Bool => "boolean",
        ColumnType::I64 => "bigint",
        ColumnType::F64 => "double precision",
        ColumnType::Decimal => "numeric",
        ColumnType::Timestamp => "timestamp with time zone",
        ColumnType::LocalTimestamp => "timestamp without time zone",
        ColumnType::Date => "date",
        ColumnType::Time => "time without time zone",
        ColumnType::Uuid => "uuid",
        ColumnType::Json => "jsonb",
        ColumnType::Bytes => "bytea",
        ColumnType::TextArray => "text[]",
        ColumnType::I64Array => "bigint[]",
        ColumnType::F64Array => "double precision[]",
        ColumnType::UuidArray => "uuid[]",
    }
}

/// A cell of a read model. Equal values are equal cells, whether a module wrote them or Postgres returned them.
///
/// Values of one type have the order of Postgres, text and JSON by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// See [`ColumnType::Text`].
    Text(String),
    /// See [`ColumnType::CiText`]. Here two spellings are two values; Postgres compares them without regard to case.
    CiText(String),
    /// See [`ColumnType::Bool`].
    Bool(bool),
    /// See [`ColumnType::I64`].
    I64(i64),
    /// See [`ColumnType::F64`].
    F64(Float),
    /// See [`ColumnType::Decimal`].
    Decimal(super::decimal::Decimal),
    /// See [`ColumnType::Timestamp`].
    Timestamp(Instant),
    /// See [`ColumnType::LocalTimestamp`].
    LocalTimestamp(LocalTimestamp),
    /// See [`ColumnType::Date`].
    Date(Day),
    /// See [`ColumnType::Time`].
    Time(TimeOfDay),
    /// See [`ColumnType::Uuid`].
    Uuid(Uuid),
    /// See [`ColumnType::Json`].
    Json(CanonicalJson),
    /// See [`ColumnType::Bytes`].
    Bytes(Vec<u8>),
    /// See [`ColumnType::TextArray`].
    TextArray(Vec<String>),
    /// See [`ColumnType::I64Array`].
    I64Array(Vec<i64>),
    /// See [`ColumnType::F64Array`].
    F64Array(Vec<Float>),
    /// See [`ColumnType::UuidArray`].
    UuidArray(Vec<Uuid>),
}

impl Value {
    /// The type of the value; `None` for null, which every type has.
    #[must_use]
    pub fn column_type(&self) -> Option<ColumnType> {
        Some(match self {
            Self::Null => return None,
            Self::Text(_) => ColumnType::Text,
            Self::CiText(_) => ColumnType::CiText,
            Self::Bool(_) => ColumnType::Bool,
            Self::I64(_) => ColumnType::I64,
            Self::F64(_) => ColumnType::F64,
            Self::Decimal(_) => ColumnType::Decimal,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::LocalTimestamp(_) => ColumnType::LocalTimestamp,
            Self::Date(_) => ColumnType::Date,
            Self::Time(_) => ColumnType::Time,
            Self::Uuid(_) => ColumnType::Uuid,
            Self::Json(_) => ColumnType::Json,
            Self::Bytes(_) => ColumnType::Bytes,
            Self::TextArray(_) => ColumnType::TextArray,
            Self::I64Array(_) => ColumnType::I64Array,
            Self::F64Array(_) => ColumnType::F64Array,
            Self::UuidArray(_) => ColumnType::UuidArray,
        })
    }

    /// The bytes of the value outside of the row's own memory.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::CiText(text) => text.len(),
            Self::Decimal(decimal) => decimal.as_str().len(),
            Self::Json(json) => json.as_str().len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::TextArray(texts) => cells::text_array_bytes(texts.iter().map(String::len)),
            Self::I64Array(numbers) => cells::number_array_bytes(numbers.len()),
            Self::F64Array(numbers) => cells::number_array_bytes(numbers.len()),
            Self::UuidArray(uuids) => cells::uuid_array_bytes(uuids.len()),
            _ => 0,
        }
    }
}

/// The approximate memory that cells take, in bytes.
#[must_use]
pub fn cells_bytes(row: &[Value]) -> usize {
    cells::memory_bytes(row.iter().map(Value::heap_bytes))
}

/// A cell for each column, in the order of the declaration.
pub type Row = Vec<Value>;

/// A cell for each key column, in the order of the key.
pub type Key = Vec<Value>;

#[cfg(test)]
mod tests {
    use super::*;

    /// `guest-sdk/src/testing/tables.rs` tests the same file.
    #[test]
    fn values_have_the_order_of_the_test_kit() {
        let golden = include_str!("../../../guest-sdk/values/tests/golden/order.tsv");
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let mut texts = line.split('\t');
            let column_type = texts.next().unwrap();
            let value = |text: &str| match column_type {
                "text" => Value::Text(text.to_owned()),
                "bool" => Value::Bool(text.parse().unwrap()),
                "i64" => Value::I64(text.parse().unwrap()),
                "decimal" => Value::Decimal(crate::read_model::Decimal::parse(text).unwrap()),
                "timestamp" => Value::Timestamp(Instant(text.parse().unwrap())),
                "local_timestamp" => Value::LocalTimestamp(LocalTimestamp(text.parse().unwrap())),
                "date" => Value::Date(Day(text.parse().unwrap())),
                "time" => Value::Time(TimeOfDay(text.parse().unwrap())),
                "uuid" => Value::Uuid(text.parse().unwrap()),
                "bytes" => Value::Bytes(
                    text.as_bytes()
                        .chunks(2)
                        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
                        .collect(),
                ),
                other => panic!("{other} cannot be a key"),
            };
            let values: Vec<Value> = texts.map(value).collect();
            assert!(values.is_sorted_by(|one, next| one < next), "{values:?}");
        }
    }

    #[test]
    fn the_memory_of_a_cell_is_counted_correctly() {
        assert_eq!(cells_bytes(&[Value::Null]), size_of::<Value>());
    }
}
