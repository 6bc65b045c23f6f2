//! Columns of instants and days.

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use gnomon_values::{Day, Instant};

use super::scalar::Scalar;
use crate::{
    Failure,
    schema::{ColumnType, Value},
};

/// An instant, such as the time of an event. [`Column`](crate::Column) says which of them a column can hold.
pub type Timestamp = DateTime<Utc>;

/// A day. [`Column`](crate::Column) says which of them a column can hold.
pub type Date = NaiveDate;

impl Scalar for Timestamp {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn check(self) -> Result<(), Failure> {
        Instant::of(self)?;
        Ok(())
    }

    fn settled(self) -> Self {
        let nanos = self.nanosecond();
        self.with_nanosecond(nanos - nanos % 1_000).unwrap_or(self)
    }

    fn into_cell(self) -> Value {
        Value::Timestamp(self.timestamp_micros())
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Timestamp(micros) = cell else { return None };
        Some(Instant(*micros).check().map(Instant::to_utc).map_err(Failure::from))
    }
}

impl Scalar for Date {
    const TYPE: ColumnType = ColumnType::Date;

    fn check(self) -> Result<(), Failure> {
        Day::of(self)?;
        Ok(())
    }

    fn into_cell(self) -> Value {
        Value::Date(Day::from(self).0)
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Date(days) = cell else { return None };
        Some(Day(*days).check().map(Day::to_date).map_err(Failure::from))
    }
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
