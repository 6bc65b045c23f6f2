//! The types of columns, and floats as cells hold them.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColumnType {
    /// UTF-8 text without NUL, which Postgres cannot hold.
    #[serde(rename = "text")]
    Text,
    /// Text that Postgres compares and searches without regard to case, and keeps as it was written.
    #[serde(rename = "citext")]
    CiText,
    /// True or false.
    #[serde(rename = "bool")]
    Bool,
    /// A signed 64-bit integer.
    #[serde(rename = "i64")]
    I64,
    /// A 64-bit float; NaN and the infinities are values like others.
    #[serde(rename = "f64")]
    F64,
    /// A decimal number.
    #[serde(rename = "decimal")]
    Decimal,
    /// An instant, in microseconds.
    #[serde(rename = "timestamp")]
    Timestamp,
    /// A date and a time of day without a time zone, in microseconds.
    #[serde(rename = "local_timestamp")]
    LocalTimestamp,
    /// A day of the Gregorian calendar.
    #[serde(rename = "date")]
    Date,
    /// A time of day, in microseconds.
    #[serde(rename = "time")]
    Time,
    /// A UUID.
    #[serde(rename = "uuid")]
    Uuid,
    /// JSON in canonical form.
    #[serde(rename = "json")]
    Json,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Texts.
    #[serde(rename = "text[]")]
    TextArray,
    /// Signed 64-bit integers.
    #[serde(rename = "i64[]")]
    I64Array,
    /// 64-bit floats.
    #[serde(rename = "f64[]")]
    F64Array,
    /// UUIDs.
    #[serde(rename = "uuid[]")]
    UuidArray,
}

impl ColumnType {
    /// Every type.
    pub const ALL: [Self; 17] = [
        Self::Text,
        Self::CiText,
        Self::Bool,
        Self::I64,
        Self::F64,
        Self::Decimal,
        Self::Timestamp,
        Self::LocalTimestamp,
        Self::Date,
        Self::Time,
        Self::Uuid,
        Self::Json,
        Self::Bytes,
        Self::TextArray,
        Self::I64Array,
        Self::F64Array,
        Self::UuidArray,
    ];

    /// The name of the type in descriptors, messages and the HTTP API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::CiText => "citext",
            Self::Bool => "bool",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Decimal => "decimal",
            Self::Timestamp => "timestamp",
            Self::LocalTimestamp => "local_timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::TextArray => "text[]",
            Self::I64Array => "i64[]",
            Self::F64Array => "f64[]",
            Self::UuidArray => "uuid[]",
        }
    }

    /// Whether the values are arrays.
    #[must_use]
    pub const fn is_array(self) -> bool {
        matches!(self, Self::TextArray | Self::I64Array | Self::F64Array | Self::UuidArray)
    }

    /// Why a column of this type cannot identify rows; `None` if it can.
    #[must_use]
    pub const fn not_a_key(self) -> Option<&'static str> {
        match self {
            Self::CiText => Some("case-insensitive, so two spellings would be one row; keep a lower-case copy as text"),
            Self::F64 => Some("f64, whose values are not exact"),
            Self::Json => Some("json, which has no order"),
            array if array.is_array() => Some("an array"),
            _ => None,
        }
    }

    /// Whether a B-tree can hold values of this type.
    #[must_use]
    pub const fn has_order(self) -> bool {
        !matches!(self, Self::Json) && !self.is_array()
    }

    /// Whether `find` can search for values of this type: a batch compares them without Postgres, and only Postgres knows which
    /// spellings are equal.
    #[must_use]
    pub const fn can_be_found(self) -> bool {
        self.has_order() && !matches!(self, Self::CiText)
    }

    /// Whether a GIN index can hold what values of this type contain.
    #[must_use]
    pub const fn has_elements(self) -> bool {
        matches!(self, Self::Json) || self.is_array()
    }

    /// Whether the values are texts of words.
    #[must_use]
    pub const fn has_words(self) -> bool {
        matches!(self, Self::Text | Self::CiText)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A 64-bit float that equals itself: −0.0 is kept as 0.0, and every NaN as one that is greater than all other floats, as in
/// Postgres.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Float(
    /// The bits, so that infinities and NaN can be written as JSON.
    u64,
);

impl Float {
    /// The float that is kept of this one.
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

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_written_by_its_name() {
        for column_type in ColumnType::ALL {
            let text = serde_json::to_string(&column_type).unwrap();
            assert_eq!(text, format!("\"{column_type}\""));
            assert_eq!(serde_json::from_str::<ColumnType>(&text).unwrap(), column_type);
        }
    }

    #[test]
    fn floats_are_ordered_by_value_and_nan_is_the_last() {
        let sorted = [f64::NEG_INFINITY, -1.5, 0.0, 5e-324, 1e300, f64::INFINITY, f64::NAN].map(Float::new);
        assert!(sorted.is_sorted_by(|one, next| one < next));
        assert_eq!(Float::new(-0.0), Float::new(0.0));
        assert_eq!(Float::new(f64::from_bits(0xfff8_0000_0000_0001)), Float::new(f64::NAN));
    }
}
