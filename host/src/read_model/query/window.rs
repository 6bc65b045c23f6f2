//! `limit` and `offset`: the rows of the page.

use super::error::QueryError;

/// The part of the matching rows that is returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
}

/// The window of a query. PostgREST ignores values that are not numbers, and negative offsets; Gnomon refuses them.
pub(super) fn window(limit: Option<&str>, offset: Option<&str>) -> Result<Window, QueryError> {
    let read =
        |name, text: Option<&str>| text.map(|text| number(text).ok_or_else(|| QueryError::not_a_number(name, text)));
    let limit = read("limit", limit).transpose()?;
    let offset = read("offset", offset).transpose()?.unwrap_or_default();
    Ok(Window {
        limit: limit.map(u64::try_from).transpose().map_err(|_| QueryError::negative_limit())?,
        offset: u64::try_from(offset).map_err(|_| QueryError::negative_offset())?,
    })
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
        for (limit, offset, expected) in [
            (None, None, Window { limit: None, offset: 0 }),
            (Some("3"), Some("2"), Window { limit: Some(3), offset: 2 }),
            (Some("0"), None, Window { limit: Some(0), offset: 0 }),
            (Some(" 3 "), Some("-0"), Window { limit: Some(3), offset: 0 }),
            (
                Some("99999999999999999999"),
                Some("9223372036854775808"),
                Window { limit: Some(i64::MAX.unsigned_abs()), offset: i64::MAX.unsigned_abs() },
            ),
        ] {
            assert_eq!(window(limit, offset), Ok(expected), "{limit:?} {offset:?}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "abc", "-", "1.5", "1e3", "+1", "0x10", "٣"] {
            for (name, window) in [("limit", window(Some(text), None)), ("offset", window(None, Some(text)))] {
                let error = window.unwrap_err();
                assert_eq!(error.code.as_str(), "PGRST100");
                assert_eq!(error.message, format!("the parameter \"{name}\" must be a whole number"));
                assert_eq!(error.details, Some(format!("It is \"{text}\".")));
            }
        }
    }

    #[test]
    fn a_negative_limit_is_refused() {
        for text in ["-1", "-99999999999999999999"] {
            let error = window(Some(text), None).unwrap_err();
            assert_eq!(error.code.as_str(), "PGRST103");
            assert_eq!(error.message, "Requested range not satisfiable");
            assert_eq!(error.details.as_deref(), Some("Limit should be greater than or equal to zero."));
            assert_eq!(error.hint, None);
        }
        let error = window(None, Some("-4")).unwrap_err();
        assert_eq!(error.code.as_str(), "PGRST103");
        assert_eq!(error.details.as_deref(), Some("Offset should be greater than or equal to zero."));
        assert_eq!(window(Some("-0"), None), Ok(Window { limit: Some(0), offset: 0 }));
    }
}
