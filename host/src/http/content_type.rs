//! What a body is, as `Content-Type` says.

use axum::http::{HeaderMap, header};

use super::problem::{Code, Problem};

/// Whether `Content-Type` names a media type, with any parameters.
pub(super) fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    media_type(headers).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

/// Whether `Content-Type` is that of JSON: `application/json`, or a type that ends in `+json`.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let found = media_type(headers).unwrap_or_default().to_ascii_lowercase();
    found == "application/json" || found.strip_suffix("+json").is_some_and(|before| before.contains('/'))
}

/// Whether `Content-Type` names a media type that begins so.
pub(super) fn begins_with(headers: &HeaderMap, begin: &str) -> bool {
    media_type(headers).is_some_and(|found| found.to_ascii_lowercase().starts_with(begin))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    Some(content_type(headers)?.split(';').next().unwrap_or_default().trim())
}

/// The problem of a body whose media type is not the one that the path takes.
pub(super) fn unsupported(headers: &HeaderMap, wanted: &str) -> Problem {
    let found = media_type(headers).map_or_else(|| "none".to_owned(), |found| format!("`{found}`"));
    Problem::new(Code::UnsupportedMediaType, format!("Content-Type must be {wanted}; it is {found}"))
}

/// Refuses text that is not UTF-8, according to `Content-Type`.
pub(super) fn check_charset(headers: &HeaderMap) -> Result<(), Problem> {
    match charset(headers) {
        Some(charset) if !["utf-8", "utf8"].contains(&charset.to_ascii_lowercase().as_str()) => {
            let detail = format!("Content-Type: the charset must be utf-8, or be left out; it is `{charset}`");
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
        _ => Ok(()),
    }
}

fn charset(headers: &HeaderMap) -> Option<&str> {
    let parameters = content_type(headers)?.split(';').skip(1);
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find_map(|(name, value)| name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"')))
}
