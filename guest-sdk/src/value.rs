//! What a cell of a row holds, as the contract has it.

use std::fmt;

use gnomon_values::{Day, Instant};
use uuid::Uuid;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text without NUL.
    Text,
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    I64,
    /// A 64-bit float.
    F64,
    /// A decimal number.
    Decimal,
    /// An instant, in microseconds.
    Timestamp,
    /// A day.
    Date,
    /// A UUID.
    Uuid,
    /// JSON.
    Json,
    /// Bytes.
    Bytes,
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
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
        })
    }
}

/// A cell of a row. [`Column`](crate::Column) turns the types of an author into it and back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize, serde::Deserialize))]
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
    /// Decimal digits with an optional sign and point, without needless zeros.
    Decimal(String),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// See [`ColumnType::Uuid`].
    Uuid(Uuid),
    /// JSON text with sorted keys.
    Json(String),
    /// See [`ColumnType::Bytes`].
    Bytes(Vec<u8>),
}

/// A 64-bit float that equals itself: −0.0 is kept as 0.0 and every NaN as one, as the host does.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize, serde::Deserialize))]
pub struct Float(u64);

impl Float {
    /// Takes a float.
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
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

impl Value {
    /// The type of the value; none for null, which belongs to every type.
    pub(crate) fn column_type(&self) -> Option<ColumnType> {
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
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Decimal(text) | Self::Json(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// As SQL would show it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::I64(number) => write!(f, "{number}"),
            Self::F64(number) => write!(f, "{number:?}"),
            Self::Decimal(text) | Self::Json(text) => f.write_str(text),
            Self::Timestamp(micros) => write!(f, "{}", Instant(*micros)),
            Self::Date(days) => write!(f, "{}", Day(*days)),
            Self::Uuid(uuid) => write!(f, "{uuid}"),
            Self::Bytes(bytes) => {
                f.write_str("\\x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}
