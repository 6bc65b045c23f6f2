//! Columns of instants, days and times of day.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use gnomon_values::{self as values, Day, Instant};

use super::scalar::Scalar;
use crate::{
    Failure,
    schema::{ColumnType, Value},
};

/// An instant, such as the time of an event. [`Column`](crate::Column) says which of them a column can hold.
pub type Timestamp = DateTime<Utc>;

/// A day. [`Column`](crate::Column) says which of them a column can hold.
pub type Date = NaiveDate;

/// A date and a time of day without a time zone, as a calendar shows it. [`Column`](crate::Column) says which of them a column can
/// hold.
pub type LocalTimestamp = NaiveDateTime;

/// A time of day, as a timetable has it. [`Column`](crate::Column) says which of them a column can hold.
pub type TimeOfDay = NaiveTime;

impl Scalar for Timestamp {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn check(self) -> Result<(), Failure> {
        Instant::of(self)?;
        Ok(())
    }

    fn settled(self) -> Self {
        in_micros(self)
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

impl Scalar for LocalTimestamp {
    const TYPE: ColumnType = ColumnType::LocalTimestamp;

    fn check(self) -> Result<(), Failure> {
        values::LocalTimestamp::of(self)?;
        Ok(())
    }

    fn settled(self) -> Self {
        in_micros(self)
    }

    fn into_cell(self) -> Value {
        Value::LocalTimestamp(self.and_utc().timestamp_micros())
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::LocalTimestamp(micros) = cell else { return None };
        let local = values::LocalTimestamp(*micros).check();
        Some(local.map(values::LocalTimestamp::to_local).map_err(Failure::from))
    }
}

impl Scalar for TimeOfDay {
    const TYPE: ColumnType = ColumnType::Time;

    fn check(self) -> Result<(), Failure> {
        values::TimeOfDay::of(self)?;
        Ok(())
    }

    fn settled(self) -> Self {
        in_micros(self)
    }

    fn into_cell(self) -> Value {
        Value::Time(values::TimeOfDay::of(self).map_or(0, |time| time.0))
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Time(micros) = cell else { return None };
        Some(values::TimeOfDay(*micros).check().map(values::TimeOfDay::to_time).map_err(Failure::from))
    }
}

/// The time without fractions of a microsecond.
fn in_micros<T: Timelike + Copy>(time: T) -> T {
    let nanos = time.nanosecond();
    time.with_nanosecond(nanos - nanos % 1_000).unwrap_or(time)
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
