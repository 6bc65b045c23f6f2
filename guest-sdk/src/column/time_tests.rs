use chrono::TimeDelta;

use super::*;
use crate::Column;

/// A value as the host returns it.
fn stored<C: Column>(mut value: C) -> Result<C, Failure> {
    let unsettled = value.to_value()?;
    value.settle()?;
    assert_eq!(value.to_value(), Ok(unsettled.clone()), "a row that is read back equals the settled row");
    C::from_value(unsettled)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn instants_are_truncated_to_microseconds_towards_the_past() {
    for (nanos, micros) in [(1_999, 1), (1_000, 1), (999, 0), (0, 0), (-1, -1), (-1_000, -1), (-1_001, -2)] {
        let mut timestamp = Timestamp::from_timestamp_nanos(nanos);
        assert_eq!(timestamp.to_value(), Ok(Value::Timestamp(micros)), "{nanos} ns");
        timestamp.settle().unwrap();
        assert_eq!(timestamp, Timestamp::from_timestamp_micros(micros).unwrap(), "{nanos} ns");
    }
}

#[test]
fn the_first_and_last_values_are_stored_unchanged() {
    let (first, last) = (instant("0001-01-01T00:00:00Z"), instant("9999-12-31T23:59:59.999999Z"));
    let micro = TimeDelta::microseconds(1);
    for timestamp in [first, first + micro, instant("9999-12-31T23:59:59Z"), last - micro, last] {
        assert_eq!(stored(timestamp), Ok(timestamp));
    }
    assert_eq!(stored(last + TimeDelta::nanoseconds(999)), Ok(last));
    for date in [day(1, 1, 1), day(1, 1, 2), day(9999, 12, 30), day(9999, 12, 31)] {
        assert_eq!(stored(date), Ok(date));
    }
}

#[test]
fn values_out_of_range_are_a_failure() {
    let failure = |timestamp: Timestamp| stored(timestamp).unwrap_err().to_string();
    let (first, last) = (instant("0001-01-01T00:00:00Z"), instant("9999-12-31T23:59:59.999999Z"));
    assert_eq!(
        failure(first - TimeDelta::nanoseconds(1)),
        "0000-12-31T23:59:59.999999Z is before 0001-01-01T00:00:00Z, the first instant that Gnomon keeps"
    );
    assert_eq!(
        failure(last + TimeDelta::microseconds(1)),
        "+10000-01-01T00:00:00Z is after 9999-12-31T23:59:59.999999Z, the last instant that Gnomon keeps"
    );
    assert!(failure(Timestamp::MIN_UTC).contains("is before"));
    assert!(failure(Timestamp::MAX_UTC).contains("is after"));
    assert!(stored(day(0, 12, 31)).is_err() && stored(day(10_000, 1, 1)).is_err());
    assert!(stored(Date::MIN).is_err() && stored(Date::MAX).is_err());
}

#[test]
fn a_leap_second_is_a_failure() {
    let failure = stored(instant("2016-12-31T23:59:60.5Z")).unwrap_err().to_string();
    assert!(failure.starts_with("2016-12-31T23:59:60.500Z is within a leap second"), "{failure}");
}

#[test]
fn days_count_from_1970() {
    for (date, days) in [("1970-01-01", 0), ("1969-12-31", -1), ("2013-01-07", 15_712), ("2000-03-01", 11_017)] {
        let date: Date = date.parse().unwrap();
        assert_eq!(date.to_value(), Ok(Value::Date(days)));
    }
}
