//! The limits of instants and days, and how each is read, rounded and written.
//!
//! The limits are what RFC 3339 can write: four digits of a year, without year 0.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: microseconds since 1970-01-01T00:00:00Z, as the log and columns keep it.
///
/// [`parse`](Self::parse) and [`of`](Self::of) check the limits of instants from outside. One that was stored long ago may be
/// beyond them, and is written like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Why a time is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// The text is not an instant.
    NotAnInstant(String),
    /// The instant is within a leap second, which neither Postgres nor most calendars know.
    LeapSecond(String),
    /// The instant is before [`Instant::MIN`].
    Early(Instant),
    /// The instant is after [`Instant::MAX`].
    Late(Instant),
    /// The day is before [`Day::MIN`].
    EarlyDay(Day),
    /// The day is after [`Day::MAX`].
    LateDay(Day),
}

/// The calendar repeats after 400 years.
const CYCLE_YEARS: i64 = 400;
const CYCLE_DAYS: i64 = 146_097;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days from the day before 0001-01-01, from which chrono counts, to 1970-01-01.
const EPOCH: i32 = 719_163;

impl Instant {
    /// The first instant that is kept: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(Day::MIN.0 as i64 * MICROS_PER_DAY);
    /// The last instant that is kept: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self((Day::MAX.0 as i64 + 1) * MICROS_PER_DAY - 1);

    /// Reads an instant as RFC 3339 writes it, and rounds it towards the past to microseconds.
    ///
    /// # Errors
    /// The text is not an instant, or it is within a leap second or beyond the limits.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let not_an_instant = || TimeError::NotAnInstant(text.to_owned());
        // chrono reads U+2212 as a minus, too.
        if !text.is_ascii() {
            return Err(not_an_instant());
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| not_an_instant())?;
        if is_leap(&time) {
            return Err(TimeError::LeapSecond(text.to_owned()));
        }
        Self::of(time.to_utc())
    }

    /// The instant, rounded towards the past to microseconds.
    ///
    /// # Errors
    /// It is within a leap second, or beyond the limits.
    pub fn of(time: DateTime<Utc>) -> Result<Self, TimeError> {
        if is_leap(&time) {
            return Err(TimeError::LeapSecond(format!("{time:?}")));
        }
        Self(time.timestamp_micros()).check()
    }

    /// The instant, if it is within the limits.
    ///
    /// # Errors
    /// It is not.
    pub fn check(self) -> Result<Self, TimeError> {
        match self {
            early if early < Self::MIN => Err(TimeError::Early(early)),
            late if late > Self::MAX => Err(TimeError::Late(late)),
            kept => Ok(kept),
        }
    }

    /// The instant for chrono, which has all within the limits; for one far beyond, the nearest that chrono has.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        let nearest = if self.0 < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        DateTime::from_timestamp_micros(self.0).unwrap_or(nearest)
    }
}

impl Day {
    /// The first day that is kept: 0001-01-01.
    pub const MIN: Self = Self(1 - EPOCH);
    /// The last day that is kept: 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The day, if it is within the limits.
    ///
    /// # Errors
    /// It is beyond the limits.
    pub fn of(date: NaiveDate) -> Result<Self, TimeError> {
        Self::from(date).check()
    }

    /// The day, if it is within the limits.
    ///
    /// # Errors
    /// It is not.
    pub fn check(self) -> Result<Self, TimeError> {
        match self {
            early if early < Self::MIN => Err(TimeError::EarlyDay(early)),
            late if late > Self::MAX => Err(TimeError::LateDay(late)),
            kept => Ok(kept),
        }
    }

    /// The day for chrono, which has all within the limits; for one far beyond, the nearest that chrono has.
    #[must_use]
    pub fn to_date(self) -> NaiveDate {
        let nearest = if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
        self.0.checked_add(EPOCH).and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(nearest)
    }
}

/// Any day, beyond the limits or not.
impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH)
    }
}

/// chrono writes `:60` as a fraction of more than a second.
fn is_leap(time: &impl Timelike) -> bool {
    time.nanosecond() >= 1_000_000_000
}

/// As RFC 3339 writes it, in UTC, the fraction without trailing zeros.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cycle = CYCLE_DAYS * MICROS_PER_DAY;
        // chrono has every instant of the cycle from 1970 on.
        let time = DateTime::from_timestamp_micros(self.0.rem_euclid(cycle)).unwrap_or_default();
        write_date(f, self.0.div_euclid(cycle), time.date_naive())?;
        write!(f, "T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())?;
        match time.timestamp_subsec_micros() {
            0 => {}
            micros => write!(f, ".{}", format!("{micros:06}").trim_end_matches('0'))?,
        }
        f.write_str("Z")
    }
}

/// As RFC 3339 writes it.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = i64::from(self.0);
        let within = i32::try_from(days.rem_euclid(CYCLE_DAYS)).unwrap_or_default();
        write_date(f, days.div_euclid(CYCLE_DAYS), Self(within).to_date())
    }
}

/// Writes the date that is so many cycles of the calendar after `date`.
fn write_date(f: &mut fmt::Formatter<'_>, cycles: i64, date: NaiveDate) -> fmt::Result {
    let year = cycles * CYCLE_YEARS + i64::from(date.year());
    match year {
        0..=9999 => write!(f, "{year:04}")?,
        _ => write!(f, "{year:+05}")?,
    }
    write!(f, "-{:02}-{:02}", date.month(), date.day())
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnInstant(text) => {
                write!(f, "`{text}` is not an instant as RFC 3339 writes it, such as ")?;
                match meant(text) {
                    Some(meant) => write!(f, "{meant}")?,
                    None => f.write_str("2013-01-01T10:17:00Z")?,
                }
                write!(f, ", from {} to {}", Instant::MIN, Instant::MAX)
            }
            Self::LeapSecond(text) => {
                write!(f, "{text} is within a leap second, which Gnomon does not keep; write second 59")?;
                if let Ok(before) = Instant::parse(&text.replacen(":60", ":59", 1)) {
                    write!(f, " ({before})")?;
                }
                f.write_str(", or the second that follows")
            }
            Self::Early(found) => write!(f, "{found} is before {}, the first instant that Gnomon keeps", Instant::MIN),
            Self::Late(found) => write!(f, "{found} is after {}, the last instant that Gnomon keeps", Instant::MAX),
            Self::EarlyDay(found) => write!(f, "{found} is before {}, the first day that Gnomon keeps", Day::MIN),
            Self::LateDay(found) => write!(f, "{found} is after {}, the last day that Gnomon keeps", Day::MAX),
        }
    }
}

impl std::error::Error for TimeError {}

/// The instant that a text may mean which lacks its time of day, its seconds or its offset; UTC if it names no offset.
fn meant(text: &str) -> Option<Instant> {
    let text = text.trim();
    let without_z = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let ways = [text.to_owned(), format!("{without_z}Z"), format!("{without_z}:00Z"), format!("{text}T00:00:00Z")];
    ways.iter().find_map(|way| Instant::parse(way).ok())
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Instant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant as RFC 3339 writes it, such as \"2013-01-01T10:17:00Z\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                Instant::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
