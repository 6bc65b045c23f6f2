//! A CloudEvent in binary mode: its attributes are headers, and the body is its data.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, header};
use percent_encoding::percent_decode;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    api,
    http::{
        content_type::{is_json, unsupported},
        convert::AttributesIn,
        json::parse_json_value,
        problem::Problem,
        server_error::internal,
    },
};

/// What the header of each attribute begins with.
const PREFIX: &str = "ce-";
/// The attributes that each CloudEvent has. A request with one of them as a header is one.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// Whether a request is a CloudEvent in binary mode.
pub(super) fn is_in(headers: &HeaderMap) -> bool {
    REQUIRED.iter().any(|name| headers.contains_key(format!("{PREFIX}{name}")))
}

/// The CloudEvent of such a request.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<api::CloudEvent, Problem> {
    let wrong = |name: &str, reason: &str| Err(AttributesIn::Headers.problem(name, reason));
    for name in REQUIRED {
        if !headers.contains_key(format!("{PREFIX}{name}")) {
            return wrong(name, "the header is missing; a CloudEvent in binary mode has it");
        }
    }
    let mut event = api::CloudEvent::default();
    for header in headers.keys() {
        let Some(name) = header.as_str().strip_prefix(PREFIX) else { continue };
        let value = value(headers, header, name)?;
        match name {
            "specversion" => event.specversion = value,
            "id" => event.id = value,
            "source" => event.source = value,
            "type" => event.event_type = value,
            "time" => event.time = Some(text(&value)?),
            "datacontenttype" => return wrong(name, "in binary mode it is the header Content-Type"),
            "data" | "data_base64" => return wrong(name, "in binary mode the data is the body"),
            other => event.others.push((other.to_owned(), text(&value)?)),
        }
    }
    // As in structured mode, where it stands among the other attributes.
    if let Some(media_type) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        event.others.push(("datacontenttype".to_owned(), text(media_type)?));
    }
    if !body.is_empty() {
        // SDKs write none for an event without `datacontenttype`.
        if headers.contains_key(header::CONTENT_TYPE) && !is_json(headers) {
            let wanted = "application/json, or a type that ends in +json, since events hold JSON";
            return Err(unsupported(headers, wanted));
        }
        event.data = Some(parse_json_value(body)?);
    }
    Ok(event)
}

/// The value of an attribute. Blanks, quotes, `%`, and what is not ASCII may be written as `%` and two digits, and the whole in quotes.
fn value(headers: &HeaderMap, header: &HeaderName, name: &str) -> Result<String, Problem> {
    let mut values = headers.get_all(header).iter();
    let (value, None) = (values.next(), values.next()) else {
        return Err(AttributesIn::Headers.problem(name, "the header is there twice"));
    };
    let unquoted = unquoted(value.map(|value| value.as_bytes()).unwrap_or_default());
    let decoded = percent_decode(&unquoted).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| AttributesIn::Headers.problem(name, "it is not UTF-8"))
}

/// What stands between quotes, without the backslashes before what they protect (RFC 9110, section 5.6.4).
fn unquoted(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inside) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return value.into();
    };
    let mut bytes = inside.iter().copied();
    let mut text = Vec::with_capacity(inside.len());
    while let Some(byte) = bytes.next() {
        text.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    text.into()
}

fn text(value: &str) -> Result<Box<RawValue>, Problem> {
    to_raw_value(value).map_err(|error| internal(&error))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn values_are_unquoted_and_then_decoded_once() {
        let read = |value: &[u8]| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("ce-subject"),
                HeaderValue::from_bytes(value).unwrap(),
            )]);
            value_of(&headers)
        };
        for (written, expected) in [
            (&b"plain"[..], "plain"),
            (b"a%20b%22%25", "a b\"%"),
            (b"%2541", "%41"),
            (b"Z%C3%BCrich", "Zürich"),
            ("Zürich".as_bytes(), "Zürich"),
            (b"\"a \\\"b\\\\ %20\"", "a \"b\\  "),
            (b"\"", "\""),
            (b"100%", "100%"),
            (b"", ""),
        ] {
            assert_eq!(read(written).unwrap(), expected, "{written:?}");
        }
        assert!(read(b"%FF").is_err() && read(b"\xff").is_err());
    }

    fn value_of(headers: &HeaderMap) -> Result<String, Problem> {
        value(headers, &HeaderName::from_static("ce-subject"), "subject")
    }
}
