//! Columns whose cells are made by hand, with no check of their own.

use gnomon_sdk::{
    Column,
    prelude::*,
    schema::{ColumnType, Value},
};
use serde::{Deserialize, Serialize};

macro_rules! by_hand {
    ($($(#[$doc:meta])* $name:ident($number:ty) as $cell:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize, Clone, Copy, Debug)]
        pub struct $name(pub $number);

        impl Column for $name {
            const TYPE: ColumnType = ColumnType::$cell;

            fn to_value(&self) -> Result<Value, Failure> {
                Ok(Value::$cell(self.0))
            }

            fn from_value(value: Value) -> Result<Self, Failure> {
                match value {
                    Value::$cell(number) => Ok(Self(number)),
                    other => fail!("{other} is not {}", $what),
                }
            }
        }
    )*};
}

by_hand! {
    /// Any number of microseconds, as an instant.
    Micros(i64) as Timestamp, "an instant";
    /// Any number of days, as a day.
    Days(i32) as Date, "a day";
    /// Any number of microseconds, as a local timestamp.
    LocalMicros(i64) as LocalTimestamp, "a local timestamp";
    /// Any number of microseconds, as a time of day.
    TimeMicros(i64) as Time, "a time of day";
}
