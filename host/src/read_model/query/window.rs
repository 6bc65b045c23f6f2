//! `limit` and `offset`: which of the rows are the page.

use super::error::QueryError;

/// A part of all rows that match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
}

/// The window of a query. As in PostgREST, what is no number is no limit, and an offset below zero is none.
pub(super) fn window(limit: Option<&str>, offset: Option<&str>) -> Result<Window, QueryError> {
    let limit = limit.and_then(number).map(|limit| u64::try_from(limit).map_err(|_| QueryError::negative_limit()));
    let offset = offset.and_then(number).and_then(|offset| u64::try_from(offset).ok());
    Ok(Window { limit: limit.transpose()?, offset: offset.unwrap_or_default() })
}

/// A number; beyond what Postgres can count to, the last one that it can.
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
    fn numbers_are_taken() {
        for (limit, offset, expected) in [
            (None, None, Window { limit: None, offset: 0 }),
            (Some("3"), Some("2"), Window { limit: Some(3), offset: 2 }),
            (Some("0"), None, Window { limit: Some(0), offset: 0 }),
            (Some(" 3 "), Some("-4"), Window { limit: Some(3), offset: 0 }),
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
    fn what_is_no_number_is_no_limit() {
        for text in ["", "abc", "-", "1.5", "1e3", "+1", "0x10", "٣"] {
            assert_eq!(window(Some(text), Some(text)), Ok(Window::default()), "{text}");
        }
    }

    #[test]
    fn a_negative_limit_is_refused() {
        for text in ["-1", "-99999999999999999999"] {
            let error = window(Some(text), None).unwrap_err();
            assert_eq!((error.status, error.code.as_ref()), (416, "PGRST103"));
            assert_eq!(error.message, "Requested range not satisfiable");
            assert_eq!(error.details.as_deref(), Some("Limit should be greater than or equal to zero."));
            assert_eq!(error.hint, None);
        }
        assert_eq!(window(Some("-0"), None), Ok(Window { limit: Some(0), offset: 0 }));
    }
}
