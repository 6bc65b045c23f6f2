//! Prepares times without a time zone in filters, before Postgres parses them.
//!
//! They are truncated as [instants](super::instant) are. Besides, Postgres drops a time zone that such a value has, so that
//! `10:17:00Z` and `10:17:00+02` would find the same rows: it is refused.

use super::{error::QueryError, instant};

/// A value for a column of local timestamps.
pub(super) fn kept_timestamp(value: String) -> Result<String, QueryError> {
    kept(value, "timestamp")
}

/// A value for a column of times of day.
pub(super) fn kept_time(value: String) -> Result<String, QueryError> {
    kept(value, "time")
}

fn kept(value: String, sql_type: &str) -> Result<String, QueryError> {
    if has_zone(&value) {
        return Err(QueryError::time_zone(sql_type, &value));
    }
    instant::kept(value)
}

/// Whether the value has a time zone. It stands behind the time of day: in its word, or as a word of its own.
fn has_zone(value: &str) -> bool {
    let Some(behind) = behind_hour(value) else { return false };
    let mut words = behind.split(char::is_whitespace).filter(|word| !word.is_empty());
    let time = if behind.starts_with(char::is_whitespace) { None } else { words.next() };
    time.is_some_and(is_zoned) || words.any(|word| word.starts_with(['+', '-']) || is_zone_name(word))
}

/// What stands behind the hour of the time of day.
fn behind_hour(value: &str) -> Option<&str> {
    let is_digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    // `20130101T101700` has no colon.
    let starts_time = |(at, letter): (usize, char)| {
        let (before, behind) = (value[..at].chars().last(), value[at + letter.len_utf8()..].chars().next());
        (letter == ':' || letter.eq_ignore_ascii_case(&'T')) && is_digit(before) && is_digit(behind)
    };
    let at = value.char_indices().find(|&found| starts_time(found))?.0;
    Some(&value[at + 1..])
}

/// Whether a zone follows the digits of a time of day.
fn is_zoned(time: &str) -> bool {
    let zone = time.trim_start_matches(|letter: char| letter.is_ascii_digit() || ":.,".contains(letter));
    zone.starts_with(['+', '-']) || is_zone_name(zone)
}

/// Whether a word behind a time of day is the name of a zone. Only halves of days and eras stand there as well.
fn is_zone_name(word: &str) -> bool {
    let is_name = word.starts_with(|letter: char| letter.is_ascii_alphabetic());
    is_name && !["am", "pm", "ad", "bc"].iter().any(|other| word.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_refused() {
        for value in [
            "2013-01-01T10:17:00Z",
            "2013-01-01 10:17:00.25z",
            "2013-01-01T10:17:00+02:00",
            "2013-01-01 10:17-05",
            "2013-01-01 10:17:00 +02",
            "2013-01-01 10:17:00 UTC",
            "2013-01-01 10:17:00 America/New_York",
            "2013-01-01 10:17:00 PM EST",
            "20130101T101700Z",
            "0001-01-01 10:17:00Z BC",
        ] {
            let error = kept_timestamp(value.to_owned()).unwrap_err();
            assert_eq!(error.code.as_str(), "22007", "{value}");
            assert_eq!(error.message, format!("invalid input syntax for type timestamp: \"{value}\""));
        }
        for value in ["10:17Z", "10:17:00-08", "10:17:00 Europe/Berlin"] {
            assert_eq!(
                kept_time(value.to_owned()).unwrap_err().message,
                format!("invalid input syntax for type time: \"{value}\"")
            );
        }
    }

    #[test]
    fn other_values_are_left_to_postgres() {
        for (value, expected) in [
            ("2013-01-01T10:17:00", "2013-01-01T10:17:00"),
            ("2013-01-01 10:17:00.1234569", "2013-01-01 10:17:00.123456"),
            ("20130101T101700", "20130101T101700"),
            ("2013-01-01", "2013-01-01"),
            ("10:17 PM", "10:17 PM"),
            ("10:17:00PM", "10:17:00PM"),
            ("0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"),
            ("12:00:00 2013-01-01", "12:00:00 2013-01-01"),
            ("infinity", "infinity"),
            ("-infinity", "-infinity"),
            ("tomorrow", "tomorrow"),
            ("", ""),
            ("é:1é", "é:1é"),
        ] {
            assert_eq!(kept_timestamp(value.to_owned()).unwrap(), expected, "{value}");
        }
        assert_eq!(kept_time("23:59:60".to_owned()).unwrap_err().code.as_str(), "22008");
    }
}
