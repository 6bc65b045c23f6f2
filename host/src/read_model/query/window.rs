//! `limit` and `offset`: the rows of the page.

use super::error::QueryError;

/// The part of the matching rows that is returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
}

/// The number of rows that `limit` asks for. PostgREST ignores values that are not numbers; Gnomon refuses them.
pub(super) fn limit(key: &str, value: &str) -> Result<u64, QueryError> {
    let limit = number(value).ok_or_else(|| QueryError::not_a_number(key, value))?;
    u64::try_from(limit).map_err(|_| QueryError::negative_limit())
}

/// The number of rows before the page. PostgREST ignores values that are not numbers or negative; Gnomon refuses them.
pub(super) fn offset(key: &str, value: &str) -> Result<u64, QueryError> {
    let offset = number(value).ok_or_else(|| QueryError::not_a_number(key, value))?;
    u64::try_from(offset).map_err(|_| QueryError::negative_offset())
}

/// Parses a number; one beyond the range of Postgres' `bigint` becomes the nearest within it.
fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_accepted() {
        for (text, number) in [
            ("3", 3),
            ("0", 0),
            (" 3 ", 3),
            ("-0", 0),
            ("99999999999999999999", i64::MAX.unsigned_abs()),
            ("9223372036854775808", i64::MAX.unsigned_abs()),
        ] {
            assert_eq!((limit("limit", text), offset("offset", text)), (Ok(number), Ok(number)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "abc", "-", "1.5", "1e3", "+1", "0x10", "٣"] {
            for (name, refused) in [("clients.limit", limit("clients.limit", text)), ("offset", offset("offset", text))]
            {
                let error = refused.unwrap_err();
                assert_eq!(error.code.as_str(), "PGRST100");
                assert_eq!(error.message, format!("the parameter \"{name}\" must be a whole number"));
                assert_eq!(error.details, Some(format!("It is \"{text}\".")));
            }
        }
    }

    #[test]
    fn what_is_negative_is_refused() {
        for text in ["-1", "-99999999999999999999"] {
            for (error, details) in [
                (limit("limit", text).unwrap_err(), "Limit should be greater than or equal to zero."),
                (offset("offset", text).unwrap_err(), "Offset should be greater than or equal to zero."),
            ] {
                assert_eq!((error.code.as_str(), error.hint), ("PGRST103", None));
                assert_eq!(error.message, "Requested range not satisfiable");
                assert_eq!(error.details.as_deref(), Some(details));
            }
        }
    }
}
