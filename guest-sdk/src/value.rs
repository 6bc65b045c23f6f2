//! The values of cells in the form of the contract.

use std::fmt;

pub use gnomon_values::{ColumnType, Float};
use gnomon_values::{Day, Instant, LocalTimestamp, TimeOfDay, cells};
use uuid::Uuid;

/// A cell of a row. [`Column`](crate::Column) converts the types of fields to it and back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize, serde::Deserialize))]
pub enum Value {
    /// No value.
    Null,
    /// See [`ColumnType::Text`].
    Text(String),
    /// See [`ColumnType::CiText`].
    CiText(String),
    /// See [`ColumnType::Bool`].
    Bool(bool),
    /// See [`ColumnType::I64`].
    I64(i64),
    /// See [`ColumnType::F64`].
    F64(Float),
    /// Decimal digits with an optional sign and point, without leading zeros and without trailing zeros in the fraction.
    Decimal(String),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00:00 without a time zone.
    LocalTimestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// See [`ColumnType::Uuid`].
    Uuid(Uuid),
    /// JSON text with sorted keys.
    Json(String),
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
    pub(crate) fn column_type(&self) -> Option<ColumnType> {
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

    /// The size of the value, as [`cells`] counts it.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::CiText(text) | Self::Decimal(text) | Self::Json(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::TextArray(texts) => cells::text_array_bytes(texts.iter().map(String::len)),
            Self::I64Array(numbers) => cells::number_array_bytes(numbers.len()),
            Self::F64Array(numbers) => cells::number_array_bytes(numbers.len()),
            Self::UuidArray(uuids) => cells::uuid_array_bytes(uuids.len()),
            _ => 0,
        }
    }
}

/// The value as messages show it, close to SQL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) | Self::CiText(text) => write!(f, "{text:?}"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::I64(number) => write!(f, "{number}"),
            Self::F64(number) => write!(f, "{number:?}"),
            Self::Decimal(text) | Self::Json(text) => f.write_str(text),
            Self::Timestamp(micros) => write!(f, "{}", Instant(*micros)),
            Self::LocalTimestamp(micros) => write!(f, "{}", LocalTimestamp(*micros)),
            Self::Date(days) => write!(f, "{}", Day(*days)),
            Self::Time(micros) => write!(f, "{}", TimeOfDay(*micros)),
            Self::Uuid(uuid) => write!(f, "{uuid}"),
            Self::Bytes(bytes) => {
                f.write_str("\\x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::TextArray(texts) => write!(f, "{texts:?}"),
            Self::I64Array(numbers) => write!(f, "{numbers:?}"),
            Self::F64Array(numbers) => write!(f, "{numbers:?}"),
            Self::UuidArray(uuids) => f.debug_list().entries(uuids.iter().map(Uuid::to_string)).finish(),
        }
    }
}
