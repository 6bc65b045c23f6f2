//! Instants and days.

use jiff::{Error, Timestamp, ToSpan, civil::Date};

use super::plain::Plain;
use crate::{
    Failure,
    schema::{ColumnType, Value},
};

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Towards the past, so that an instant never moves across one that is before it.
fn whole_micros(timestamp: Timestamp) -> i64 {
    let towards_zero = timestamp.as_microsecond();
    if timestamp.subsec_nanosecond() % 1_000 < 0 { towards_zero - 1 } else { towards_zero }
}

impl Plain for Timestamp {
    const TYPE: ColumnType = ColumnType::Timestamp;

    fn settled(self) -> Self {
        // Only the very first microsecond that there is cannot be rounded down to a whole one.
        Self::from_microsecond(whole_micros(self)).unwrap_or(Self::MIN)
    }

    fn into_cell(self) -> Value {
        Value::Timestamp(whole_micros(self))
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Timestamp(micros) = cell else { return None };
        Some(Self::from_microsecond(*micros).map_err(Failure::from))
    }
}

/// The day that lies so many days behind 1970-01-01.
pub(crate) fn date_of_days(days: i32) -> Result<Date, Error> {
    EPOCH.checked_add(days.days())
}

fn days_of_date(date: Date) -> i32 {
    // All days that `Date` has are less than four million away.
    (date - EPOCH).get_days()
}

impl Plain for Date {
    const TYPE: ColumnType = ColumnType::Date;

    fn into_cell(self) -> Value {
        Value::Date(days_of_date(self))
    }

    fn from_cell(cell: &Value) -> Option<Result<Self, Failure>> {
        let Value::Date(days) = cell else { return None };
        Some(date_of_days(*days).map_err(Failure::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn instants_are_cut_to_microseconds_towards_the_past() {
        for (nanos, micros) in [(1_999, 1), (1_000, 1), (999, 0), (0, 0), (-1, -1), (-1_000, -1), (-1_001, -2)] {
            let mut timestamp = Timestamp::from_nanosecond(nanos).unwrap();
            assert_eq!(timestamp.to_value(), Ok(Value::Timestamp(micros)), "{nanos} ns");
            timestamp.settle().unwrap();
            assert_eq!(timestamp, Timestamp::from_microsecond(micros).unwrap(), "{nanos} ns");
        }
    }

    #[test]
    fn the_ends_of_time_survive_a_round_trip() {
        for mut timestamp in [Timestamp::MIN, Timestamp::MAX] {
            timestamp.settle().unwrap();
            assert_eq!(Timestamp::from_value(timestamp.to_value().unwrap()), Ok(timestamp));
        }
        for date in [Date::MIN, Date::MAX] {
            assert_eq!(Date::from_value(date.to_value().unwrap()), Ok(date));
        }
    }

    #[test]
    fn days_count_from_1970() {
        for (date, days) in [("1970-01-01", 0), ("1969-12-31", -1), ("2013-01-07", 15_712), ("2000-03-01", 11_017)] {
            let date: Date = date.parse().unwrap();
            assert_eq!(date.to_value(), Ok(Value::Date(days)));
        }
    }
}
