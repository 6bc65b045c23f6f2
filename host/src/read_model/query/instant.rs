//! Truncates instants in filters as the log and columns do, before Postgres parses them.
//!
//! Postgres rounds fractions finer than a microsecond, and reads second 60 as the next minute. A filter must find the row that was
//! stored with the same text.

use super::error::QueryError;

/// The digits of a second's fraction that are kept.
const DIGITS: usize = 6;

/// The value with its fraction truncated to microseconds, towards the past.
pub(super) fn kept(mut value: String) -> Result<String, QueryError> {
    if is_leap(&value) {
        return Err(QueryError::leap_second(&value));
    }
    if let Some(point) = value.find('.') {
        let fraction = point + 1;
        let digits = value[fraction..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > DIGITS {
            value.replace_range(fraction + DIGITS..fraction + digits, "");
        }
    }
    Ok(value)
}

/// Whether the text has a time of day whose second is 60: `…:59:60`.
fn is_leap(value: &str) -> bool {
    value.match_indices(":60").any(|(at, second)| {
        let before = &value.as_bytes()[..at];
        let behind = value.as_bytes().get(at + second.len());
        matches!(before, [.., b':', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
            && !behind.is_some_and(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_cut_where_the_log_cuts_them() {
        for (value, expected) in [
            ("2020-01-01T00:00:00.1234569Z", "2020-01-01T00:00:00.123456Z"),
            ("1969-12-31 23:59:59.9999999+00", "1969-12-31 23:59:59.999999+00"),
            ("2020-01-01T00:00:00.123456Z", "2020-01-01T00:00:00.123456Z"),
            ("2020-01-01", "2020-01-01"),
            ("29.02.2020", "29.02.2020"),
            ("infinity", "infinity"),
            ("é.1234567é", "é.123456é"),
            ("", ""),
        ] {
            assert_eq!(kept(value.to_owned()).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn a_leap_second_is_refused() {
        for value in ["2016-12-31T23:59:60Z", "2016-12-31 23:59:60", "2016-12-31T23:59:60.5+02:00", "23:59:60"] {
            let error = kept(value.to_owned()).unwrap_err();
            assert_eq!(error.code.as_str(), "22008", "{value}");
        }
        for value in ["12:60", "2020-01-01T00:00:06Z", "1:00:600", "é:60"] {
            assert_eq!(kept(value.to_owned()).unwrap(), value);
        }
    }
}
