//! The header `Content-Location`: one name for what several query strings say.

use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::http::forwarded_prefix::ForwardedPrefix;

/// The bytes of the longest location that is sent: programs read the headers of an answer up to a limit, which is 16 KiB in all for Node.js.
const MAX_BYTES: usize = 4096;
/// All but what RFC 3986 calls unreserved.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path and query string of a query, with its parameters in the order of their names. Those of one name keep their order: PostgREST writes them as
/// one parameter, which says something else. `None` if it is too long.
pub(super) fn content_location(projection: &str, table: &str, query: &str) -> Option<HeaderValue> {
    if query.len() > MAX_BYTES {
        return None;
    }
    let path = format!("/v1/read-models/{projection}/{}", encoded(table));
    let mut location = ForwardedPrefix::current().path(&path);
    let mut parameters: Vec<_> = query.split('&').filter(|parameter| !parameter.is_empty()).map(decoded).collect();
    parameters.sort_by(|one, other| one.0.cmp(&other.0));
    for (index, (name, value)) in parameters.iter().enumerate() {
        location.push(if index == 0 { '?' } else { '&' });
        location.push_str(&encoded(name));
        location.push('=');
        location.push_str(&encoded(value));
    }
    if location.len() > MAX_BYTES {
        return None;
    }
    HeaderValue::try_from(location).ok()
}

fn decoded(parameter: &str) -> (String, String) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let decode = |text: &str| percent_decode(text.replace('+', " ").as_bytes()).decode_utf8_lossy().into_owned();
    (decode(name), decode(value))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(query: &str) -> String {
        content_location("bank", "accounts", query).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn parameters_are_in_order_and_written_in_one_way() {
        for (query, expected) in [
            ("", ""),
            ("b=eq.1&a=eq.1", "?a=eq.1&b=eq.1"),
            ("&select=*&&", "?select=%2A"),
            ("b=gt.2&a=eq.x+y&b=gt.1", "?a=eq.x%20y&b=gt.2&b=gt.1"),
            ("%61=in.(1,2)&a=eq.%C3%A9", "?a=in.%281%2C2%29&a=eq.%C3%A9"),
            ("a=eq.1%262", "?a=eq.1%262"),
        ] {
            assert_eq!(location(query), format!("/v1/read-models/bank/accounts{expected}"), "{query}");
        }
    }

    #[test]
    fn a_long_location_is_left_out() {
        let path = "/v1/read-models/bank/accounts?a=";
        let longest = format!("a={}", "x".repeat(MAX_BYTES - path.len()));
        assert_eq!(location(&longest).len(), MAX_BYTES);
        assert_eq!(content_location("bank", "accounts", &format!("{longest}x")), None);
        assert_eq!(content_location("bank", "accounts", &format!("a={}", "+".repeat(MAX_BYTES / 2))), None);
    }
}
