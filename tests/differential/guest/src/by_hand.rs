//! Columns whose cells are made by hand, with no check of their own.

use gnomon_sdk::{
    Column,
    prelude::*,
    schema::{ColumnType, Value},
};
use serde::{Deserialize, Serialize};

/// Any number of microseconds, as an instant.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Micros(pub i64);

/// Any number of days, as a day.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
pub struct Days(pub i32);

impl Column for Micros {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::Timestamp(self.0))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Timestamp(micros) => Ok(Self(micros)),
            other => fail!("{other} is not an instant"),
        }
    }
}

impl Column for Days {
    const TYPE: ColumnType = ColumnType::Date;

    fn to_value(&self) -> Result<Value, Failure> {
        Ok(Value::Date(self.0))
    }

    fn from_value(value: Value) -> Result<Self, Failure> {
        match value {
            Value::Date(days) => Ok(Self(days)),
            other => fail!("{other} is not a day"),
        }
    }
}
