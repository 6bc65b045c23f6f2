//! The limits of times without a time zone, and how each is written.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike};

use crate::time::Instant;

/// A date and a time of day on a clock whose time zone is not known: microseconds since 1970-01-01T00:00:00 there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTimestamp(pub i64);

/// A time of day: microseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(pub i64);

/// Why a time without a time zone is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalTimeError {
    /// It is within a leap second, which Postgres does not know.
    LeapSecond(String),
    /// It is before [`LocalTimestamp::MIN`].
    Early(LocalTimestamp),
    /// It is after [`LocalTimestamp::MAX`].
    Late(LocalTimestamp),
    /// It is not a time of day.
    NotATimeOfDay(i64),
}

const MICROS_PER_SECOND: i64 = 1_000_000;

impl LocalTimestamp {
    /// The first that is kept: 0001-01-01T00:00:00.
    pub const MIN: Self = Self(Instant::MIN.0);
    /// The last that is kept: 9999-12-31T23:59:59.999999.
    pub const MAX: Self = Self(Instant::MAX.0);

    /// The date and time, rounded towards the past to microseconds.
    ///
    /// # Errors
    /// It is within a leap second, or beyond the limits.
    pub fn of(time: NaiveDateTime) -> Result<Self, LocalTimeError> {
        if is_leap(&time) {
            return Err(LocalTimeError::LeapSecond(format!("{time:?}")));
        }
        Self(time.and_utc().timestamp_micros()).check()
    }

    /// The date and time, if it is within the limits.
    ///
    /// # Errors
    /// It is not.
    pub fn check(self) -> Result<Self, LocalTimeError> {
        match self {
            early if early < Self::MIN => Err(LocalTimeError::Early(early)),
            late if late > Self::MAX => Err(LocalTimeError::Late(late)),
            kept => Ok(kept),
        }
    }

    /// The date and time for chrono, which has all within the limits; for one far beyond, the nearest that chrono has.
    #[must_use]
    pub fn to_local(self) -> NaiveDateTime {
        Instant(self.0).to_utc().naive_utc()
    }
}

impl TimeOfDay {
    /// The last time of a day: 23:59:59.999999.
    pub const MAX: Self = Self(86_400 * MICROS_PER_SECOND - 1);

    /// The time of day, rounded towards midnight to microseconds.
    ///
    /// # Errors
    /// It is within a leap second.
    pub fn of(time: NaiveTime) -> Result<Self, LocalTimeError> {
        if is_leap(&time) {
            return Err(LocalTimeError::LeapSecond(format!("{time:?}")));
        }
        let seconds = i64::from(time.num_seconds_from_midnight());
        Ok(Self(seconds * MICROS_PER_SECOND + i64::from(time.nanosecond() / 1_000)))
    }

    /// The time, if it is a time of day.
    ///
    /// # Errors
    /// It is not.
    pub fn check(self) -> Result<Self, LocalTimeError> {
        if (0..=Self::MAX.0).contains(&self.0) { Ok(self) } else { Err(LocalTimeError::NotATimeOfDay(self.0)) }
    }

    /// The time for chrono; midnight for what is not a time of day.
    #[must_use]
    pub fn to_time(self) -> NaiveTime {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default().time()
    }
}

/// chrono writes `:60` as a fraction of more than a second.
fn is_leap(time: &impl Timelike) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// As ISO 8601 writes it, the fraction without trailing zeros.
impl fmt::Display for LocalTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = Instant(self.0).to_string();
        f.write_str(instant.strip_suffix('Z').unwrap_or(&instant))
    }
}

/// As ISO 8601 writes it, the fraction without trailing zeros.
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_time();
        write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match time.nanosecond() / 1_000 {
            0 => Ok(()),
            micros => write!(f, ".{}", format!("{micros:06}").trim_end_matches('0')),
        }
    }
}

impl fmt::Display for LocalTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeapSecond(text) => write!(
                f,
                "{text} is within a leap second, which Gnomon does not keep; write second 59, or the second that follows"
            ),
            Self::Early(found) => {
                write!(f, "{found} is before {}, the first date and time that Gnomon keeps", LocalTimestamp::MIN)
            }
            Self::Late(found) => {
                write!(f, "{found} is after {}, the last date and time that Gnomon keeps", LocalTimestamp::MAX)
            }
            Self::NotATimeOfDay(micros) => write!(
                f,
                "{micros} microseconds after midnight is not a time of day; the last is {}, {} microseconds",
                TimeOfDay::MAX,
                TimeOfDay::MAX.0
            ),
        }
    }
}

impl std::error::Error for LocalTimeError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn times_of_day_end_before_midnight() {
        let last = NaiveTime::from_hms_nano_opt(23, 59, 59, 999_999_999).unwrap();
        assert_eq!(TimeOfDay::of(last), Ok(TimeOfDay::MAX));
        assert_eq!(TimeOfDay::MAX.to_string(), "23:59:59.999999");
        assert_eq!(TimeOfDay(0).check().map(TimeOfDay::to_time), Ok(NaiveTime::MIN));
        assert_eq!(TimeOfDay(3_600_500_000).to_string(), "01:00:00.5");
        for micros in [-1, TimeOfDay::MAX.0 + 1, i64::MIN, i64::MAX] {
            let error = TimeOfDay(micros).check().unwrap_err().to_string();
            assert!(
                error.ends_with("is not a time of day; the last is 23:59:59.999999, 86399999999 microseconds"),
                "{error}"
            );
        }
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_000_000_000).unwrap();
        assert!(TimeOfDay::of(leap).unwrap_err().to_string().contains("leap second"));
    }

    #[test]
    fn local_timestamps_have_the_limits_of_instants() {
        for (text, kept) in [
            ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
            ("9999-12-31T23:59:59.999999999", "9999-12-31T23:59:59.999999"),
            ("1969-12-31T23:59:59.9999999", "1969-12-31T23:59:59.999999"),
            ("2013-01-01T10:17:00", "2013-01-01T10:17:00"),
        ] {
            let time = LocalTimestamp::of(local(text)).unwrap();
            assert_eq!(time.to_string(), kept);
            assert_eq!(LocalTimestamp::of(time.to_local()), Ok(time));
        }
        assert_eq!(
            LocalTimestamp(LocalTimestamp::MIN.0 - 1).check().unwrap_err().to_string(),
            "0000-12-31T23:59:59.999999 is before 0001-01-01T00:00:00, the first date and time that Gnomon keeps"
        );
        assert!(LocalTimestamp(LocalTimestamp::MAX.0 + 1).check().is_err());
        assert!(LocalTimestamp::of(local("2016-12-31T23:59:60")).is_err());
    }
}
