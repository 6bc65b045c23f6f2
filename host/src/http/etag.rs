//! Tags of content: `ETag` and `If-None-Match` (RFC 9110).

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

/// The tag of a content, with its quotes.
pub(super) fn tag_of(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// The content with its tag, or 304 without it if the client has it already.
pub(super) fn with_tag(request: &HeaderMap, tag: &str, content_type: &'static str, content: Bytes) -> Response {
    let mut response = if known(request, tag) {
        (StatusCode::NOT_MODIFIED, Body::empty()).into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], content).into_response()
    };
    // Quotes and digits are always a header's value.
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Whether the client has the content with this tag.
fn known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    tags.any(|other| other == "*" || opaque(other) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_alone_in_a_list_or_as_a_weak_one() {
        let tag = tag_of(b"content");
        assert_ne!(tag, tag_of(b"other"));
        for (value, found) in [
            (tag.clone(), true),
            (format!("\"x\", {tag}"), true),
            (format!("W/{tag}"), true),
            ("*".to_owned(), true),
            (tag_of(b"other"), false),
            (String::new(), false),
        ] {
            let request = HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]);
            assert_eq!(known(&request, &tag), found, "{value}");
            assert_eq!(known(&request, &format!("W/{tag}")), found, "{value}");
        }
        assert!(!known(&HeaderMap::new(), &tag));
    }
}
