//! `limit` and `offset`, and the header `Range`: the rows of the page.

use super::error::QueryError;

/// The largest number of Postgres' `bigint`.
const MAX: u64 = i64::MAX.unsigned_abs();

/// A range of rows, by their offsets from 0. The last one is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRange {
    first: u64,
    last: Option<u64>,
}

impl RowRange {
    /// The rows from the first one to the last one, or to the end. Offsets beyond the range of Postgres' `bigint` become its end.
    ///
    /// # Errors
    /// The last one is before the first one.
    pub fn new(first: u64, last: Option<u64>) -> Result<Self, QueryError> {
        if last.is_some_and(|last| last < first) {
            return Err(QueryError::backward_range());
        }
        Ok(Self { first: first.min(MAX), last: last.map(|last| last.min(MAX)) })
    }

    /// The offsets of the first row and, unless it is open, of the last one.
    #[must_use]
    pub fn ends(self) -> (u64, Option<u64>) {
        (self.first, self.last)
    }
}

/// The part of the matching rows that is returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
}

impl Window {
    /// The rows that are in the range as well. A window of no rows stays what it is, as in PostgREST: its offset counts.
    ///
    /// # Errors
    /// The two have no row in common, however many rows match. The text is PostgREST's.
    pub(super) fn within(self, range: RowRange) -> Result<Self, QueryError> {
        if self.limit == Some(0) {
            return Ok(self);
        }
        let offset = self.offset.max(range.first);
        let ends = [self.limit.map(|limit| self.offset.saturating_add(limit)), range.last.map(|last| last + 1)];
        let limit = match ends.into_iter().flatten().min() {
            None => None,
            Some(end) if end > offset => Some((end - offset).min(MAX)),
            Some(_) => return Err(QueryError::negative_limit()),
        };
        Ok(Self { limit, offset })
    }
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

    #[test]
    fn a_range_is_a_part_of_the_window() {
        let window = |limit, offset| Window { limit, offset };
        let within = |limit, offset, first, last| window(limit, offset).within(RowRange::new(first, last).unwrap());
        for (limit, offset, first, last, expected) in [
            (None, 0, 0, Some(9), window(Some(10), 0)),
            (None, 0, 5, None, window(None, 5)),
            (None, 0, 0, Some(0), window(Some(1), 0)),
            (None, 7, 5, None, window(None, 7)),
            (None, 7, 5, Some(9), window(Some(3), 7)),
            (Some(3), 0, 0, Some(1), window(Some(2), 0)),
            (Some(3), 2, 0, Some(9), window(Some(3), 2)),
            (Some(3), 2, 3, Some(9), window(Some(2), 3)),
            (Some(3), 2, 4, None, window(Some(1), 4)),
            (Some(0), 4, 5, Some(9), window(Some(0), 4)),
            (Some(MAX), MAX, 0, None, window(Some(MAX), MAX)),
            (None, 0, u64::MAX, None, window(None, MAX)),
            (None, 0, 1, Some(u64::MAX), window(Some(MAX), 1)),
        ] {
            assert_eq!(within(limit, offset, first, last), Ok(expected), "{limit:?} {offset} {first}-{last:?}");
        }
        for (limit, offset, first, last) in [(Some(3), 0, 3, None), (None, 10, 0, Some(9)), (Some(1), 5, 6, Some(9))] {
            let error = within(limit, offset, first, last).unwrap_err();
            assert_eq!(error, QueryError::negative_limit(), "{limit:?} {offset} {first}-{last:?}");
        }
    }

    #[test]
    fn a_range_does_not_go_backward() {
        assert_eq!(RowRange::new(3, Some(3)).map(RowRange::ends), Ok((3, Some(3))));
        let error = RowRange::new(1, Some(0)).unwrap_err();
        assert_eq!((error.code.as_str(), error.message.as_str()), ("PGRST103", "Requested range not satisfiable"));
        assert_eq!(
            error.details.as_deref(),
            Some("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
        );
    }
}
