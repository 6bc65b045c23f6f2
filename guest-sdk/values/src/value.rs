//! The types of columns, and floats as cells hold them.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use crate::declaration::Order;

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
    /// A decimal number.
    Decimal,
    /// An instant, in microseconds.
    Timestamp,
    /// A day of the Gregorian calendar.
    Date,
    /// A UUID.
    Uuid,
    /// JSON in canonical form.
    Json,
    /// Bytes.
    Bytes,
}

impl ColumnType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Bool,
        Self::I64,
        Self::F64,
        Self::Decimal,
        Self::Timestamp,
        Self::Date,
        Self::Uuid,
        Self::Json,
        Self::Bytes,
    ];

    /// The name of the type in descriptors, messages and the HTTP API.
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

    /// Whether columns of this type can be part of a key or an index.
    #[must_use]
    pub fn order(self) -> Order {
        match self {
            Self::F64 => Order::Inexact,
            Self::Json => Order::None,
            _ => Order::Exact,
        }
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
