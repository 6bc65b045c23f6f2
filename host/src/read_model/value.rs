//! What a cell can hold.

use std::cmp::Ordering;

use gnomon_values::json::CanonicalJson;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// UTF-8 text without NUL, which Postgres cannot hold.
    Text,
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    I64,
    /// A 64-bit float; NaN and the infinities are values like others.
    F64,
    /// A decimal number of any size.
    Decimal,
    /// An instant, in microseconds.
    Timestamp,
    /// A day of the Gregorian calendar.
    Date,
    /// A UUID.
    Uuid,
    /// JSON, kept in canonical form.
    Json,
    /// Bytes.
    Bytes,
}

impl ColumnType {
    /// The name of the type in Postgres.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "boolean",
            Self::I64 => "bigint",
            Self::F64 => "double precision",
            Self::Decimal => "numeric",
            Self::Timestamp => "timestamp with time zone",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
            Self::Bytes => "bytea",
        }
    }

    /// The name of the type as modules and the HTTP API call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "bool",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Decimal => "decimal",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }

    /// Whether equality of two values of this type means that they are one key.
    #[must_use]
    pub fn can_be_key(self) -> bool {
        !matches!(self, Self::F64 | Self::Json)
    }
}

/// A 64-bit float that equals itself: −0.0 is kept as 0.0 and every NaN as one, which is above all others, as in Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Float(u64);

impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        self.get().total_cmp(&other.get())
    }
}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Float {
    /// Takes a float.
    #[must_use]
    pub fn new(float: f64) -> Self {
        if float == 0.0 {
            Self(0)
        } else if float.is_nan() {
            Self(f64::NAN.to_bits())
        } else {
            Self(float.to_bits())
        }
    }

    /// The float.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A cell of a read model. Equal cells are equal values, whichever way they came: from a module or from Postgres.
///
/// Values of one type are in the order that Postgres has for them, text and JSON by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// See [`ColumnType::Text`].
    Text(String),
    /// See [`ColumnType::Bool`].
    Bool(bool),
    /// See [`ColumnType::I64`].
    I64(i64),
    /// See [`ColumnType::F64`].
    F64(Float),
    /// See [`ColumnType::Decimal`].
    Decimal(super::decimal::Decimal),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// See [`ColumnType::Uuid`].
    Uuid(Uuid),
    /// See [`ColumnType::Json`].
    Json(CanonicalJson),
    /// See [`ColumnType::Bytes`].
    Bytes(Vec<u8>),
}

impl Value {
    /// The type of the value; none for null, which belongs to every type.
    #[must_use]
    pub fn column_type(&self) -> Option<ColumnType> {
        Some(match self {
            Self::Null => return None,
            Self::Text(_) => ColumnType::Text,
            Self::Bool(_) => ColumnType::Bool,
            Self::I64(_) => ColumnType::I64,
            Self::F64(_) => ColumnType::F64,
            Self::Decimal(_) => ColumnType::Decimal,
            Self::Timestamp(_) => ColumnType::Timestamp,
            Self::Date(_) => ColumnType::Date,
            Self::Uuid(_) => ColumnType::Uuid,
            Self::Json(_) => ColumnType::Json,
            Self::Bytes(_) => ColumnType::Bytes,
        })
    }

    /// The bytes that the value holds beside its place in the row.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Decimal(decimal) => decimal.as_str().len(),
            Self::Json(json) => json.as_str().len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// About how much memory cells take.
#[must_use]
pub fn cells_bytes(cells: &[Value]) -> usize {
    gnomon_values::cells::memory_bytes(cells.iter().map(Value::heap_bytes))
}

/// A cell for each column, in the order of the declaration.
pub type Row = Vec<Value>;

/// A cell for each key column, in the order of the key.
pub type Key = Vec<Value>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_takes_the_memory_that_is_counted_for_it() {
        assert_eq!(cells_bytes(&[Value::Null]), size_of::<Value>());
    }
}
