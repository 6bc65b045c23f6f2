//! Columns of small types that are copied, and that are given as they are when they are keys.

use std::hash::{Hash, Hasher};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Column, IndexColumn, KeyColumn, NotNull, mismatch};
use crate::{
    Failure,
    schema::{ColumnType, IntoKey, Key, Value},
};

/// How values of such a type become cells.
pub(super) trait Scalar: Copy {
    const TYPE: ColumnType;

    /// The most bytes that its cell can hold; see [`Column::settle_sized`].
    const MAX_BYTES: usize = 0;

    /// Checks that a cell can hold the value.
    fn check(self) -> Result<(), Failure> {
        Ok(())
    }

    /// See [`Column::settle`].
    fn settled(self) -> Self {
        self
    }

    fn into_cell(self) -> Value;

    /// The value of a cell; `None` if the cell has another type.
    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>>;
}

macro_rules! scalar_columns {
    ($($ty:ty),*) => {$(
        impl Column for $ty {
            const TYPE: ColumnType = <$ty as Scalar>::TYPE;

            fn settle(&mut self) -> Result<(), Failure> {
                Scalar::check(*self)?;
                *self = Scalar::settled(*self);
                Ok(())
            }

            fn settle_sized(&mut self) -> Result<usize, Failure> {
                self.settle()?;
                Ok(<$ty as Scalar>::MAX_BYTES)
            }

            fn to_value(&self) -> Result<Value, Failure> {
                Scalar::check(*self)?;
                Ok(Scalar::into_cell(*self))
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                Scalar::from_cell(&value).unwrap_or_else(|| Err(mismatch(<$ty as Scalar>::TYPE, &value)))
            }
        }

        impl NotNull for $ty {}

        impl IndexColumn for $ty {
            type Wanted<'a> = Self;

            fn wanted_value(wanted: Self) -> Result<Value, Failure> {
                wanted.to_value()
            }
        }
    )*};
}

macro_rules! scalar_keys {
    ($($ty:ty),*) => {$(
        impl KeyColumn for $ty {
            type Key<'a> = Self;

            fn as_key(&self) -> Self {
                *self
            }
        }

        impl IntoKey<$ty> for $ty {
            fn into_key(self) -> Self {
                self
            }
        }

        impl IntoKey<$ty> for &$ty {
            fn into_key(self) -> $ty {
                *self
            }
        }

        impl Key for $ty {
            fn check(&self) -> Result<(), Failure> {
                Scalar::check(*self)
            }

            fn hash(&self, hasher: &mut impl Hasher) {
                Hash::hash(&Scalar::settled(*self), hasher);
            }

            fn is(&self, cells: &[Value]) -> bool {
                matches!(cells, [cell] if *cell == Scalar::into_cell(*self))
            }

            fn push_cells(&self, cells: &mut Vec<Value>) {
                cells.push(Scalar::into_cell(*self));
            }
        }
    )*};
}

scalar_columns!(
    bool,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    f64,
    Decimal,
    DateTime<Utc>,
    NaiveDateTime,
    NaiveDate,
    NaiveTime,
    Uuid
);
scalar_keys!(bool, i8, i16, i32, i64, u8, u16, u32, Decimal, DateTime<Utc>, NaiveDateTime, NaiveDate, NaiveTime, Uuid);

impl Scalar for bool {
    const TYPE: ColumnType = ColumnType::Bool;

    fn into_cell(self) -> Value {
        Value::Bool(self)
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Bool(bool) = cell else { return None };
        Some(Ok(*bool))
    }
}

impl Scalar for Uuid {
    const TYPE: ColumnType = ColumnType::Uuid;

    fn into_cell(self) -> Value {
        Value::Uuid(self)
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Uuid(uuid) = cell else { return None };
        Some(Ok(*uuid))
    }
}
