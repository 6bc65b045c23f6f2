//! The header `Range`: the rows of the page.

use axum::http::{HeaderMap, Method, header};

use super::error::PostgrestError;
use crate::read_model::query::RowRange;

/// The range of rows that a request asks for.
///
/// As PostgREST, and as HTTP says for a range in a unit that a server does not know: what is not written `5-9` or `5-` is no range of rows, and
/// ignored; so is the header of a request that is not a GET. `Range-Unit` is never looked at.
///
/// # Errors
/// It ends before it begins.
pub(super) fn requested_range(method: &Method, headers: &HeaderMap) -> Result<Option<RowRange>, PostgrestError> {
    if method != Method::GET {
        return Ok(None);
    }
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(parse);
    Ok(range.map(|(first, last)| RowRange::new(first, last)).transpose()?)
}

fn parse(text: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = text.split_once('-')?;
    let last = if last.is_empty() { None } else { Some(number(last)?) };
    Some((number(first)?, last))
}

/// A number; one that is too large is the largest.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn requested(method: &Method, range: &'static str) -> Result<Option<(u64, Option<u64>)>, PostgrestError> {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
        requested_range(method, &headers).map(|range| range.map(RowRange::ends))
    }

    #[test]
    fn rows_are_counted_from_zero_and_the_last_is_in_the_range() {
        for (range, ends) in [
            ("0-9", Some((0, Some(9)))),
            ("5-", Some((5, None))),
            ("0-0", Some((0, Some(0)))),
            ("007-8", Some((7, Some(8)))),
            ("0-99999999999999999999", Some((0, Some(i64::MAX.unsigned_abs())))),
            ("", None),
            ("-", None),
            ("-5", None),
            ("bytes=0-9", None),
            ("items=0-9", None),
            ("0 - 9", None),
            ("0-9,20-29", None),
            ("a-b", None),
            ("+1-2", None),
        ] {
            assert_eq!(requested(&Method::GET, range), Ok(ends), "{range}");
            assert_eq!(requested(&Method::HEAD, range), Ok(None), "{range}");
        }
        assert_eq!(requested_range(&Method::GET, &HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_range_that_goes_backward_is_refused() {
        let error = requested(&Method::GET, "9-0").unwrap_err();
        assert_eq!((error.status.as_u16(), error.code.as_ref()), (416, "PGRST103"));
        assert_eq!(requested(&Method::HEAD, "9-0"), Ok(None));
    }
}
