//! The traces of requests: a span for each, and `traceparent` in the metadata of what a request appends.

use std::{borrow::Cow, collections::HashMap};

use axum::http::{HeaderMap, Method};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::request_id::RequestId;
use crate::{
    api,
    telemetry::{Span, TRACEPARENT, TraceContext},
};

/// The span of a request, in the trace of its client if that has one. Health and measures, which are asked for all the time, have none.
pub(super) fn request_span(method: &Method, route: Option<&str>, id: &RequestId, headers: &HeaderMap) -> Span {
    let route = route.unwrap_or("other");
    if !Span::are_on() || route.starts_with("/health/") || route == "/metrics" {
        return Span::none();
    }
    let client = header(headers).and_then(TraceContext::parse);
    Span::of_request("request", client.as_ref(), |span| {
        span.name(format!("{method} {route}"));
        span.attribute("http.request.method", method.to_string());
        span.attribute("http.route", route.to_owned());
        span.attribute("request_id", id.to_string());
    })
}

/// The span of an append: from the log having it until it is committed.
pub(super) fn append_span() -> Span {
    Span::within_current("append", |_| {})
}

/// The span of a query on a read model, without the wait for a position.
pub(super) fn query_span(projection: &str, table: &str) -> Span {
    Span::within_current("query", |span| {
        span.attribute("projection", projection.to_owned());
        span.attribute("table", table.to_owned());
    })
}

/// The header, if it is there once.
fn header(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Keeps the trace of a request in the metadata of the events that it appends. An event whose metadata has a `traceparent` of its own keeps
/// that, and so does metadata that is no object.
pub(super) fn keep_trace<'e>(headers: &HeaderMap, events: impl IntoIterator<Item = &'e mut api::NewEvent>) {
    // What is no context is not worth keeping for ever.
    let Some(text) = header(headers).filter(|text| TraceContext::parse(text).is_some()) else { return };
    for event in events {
        if let Some(metadata) = with_trace(event.metadata.as_deref(), text) {
            event.metadata = Some(metadata);
        }
    }
}

/// The metadata with the context as its last member; `None` to leave it as it is. The rest of the text is as its writer wrote it.
fn with_trace(metadata: Option<&RawValue>, traceparent: &str) -> Option<Box<RawValue>> {
    let member = format!("\"{TRACEPARENT}\":\"{traceparent}\"");
    let text = match metadata.map(RawValue::get) {
        None | Some("null") => format!("{{{member}}}"),
        Some(object) => {
            let members: HashMap<Cow<'_, str>, IgnoredAny> = serde_json::from_str(object).ok()?;
            if members.contains_key(TRACEPARENT) {
                return None;
            }
            let inside = object.trim_end().strip_suffix('}')?.trim_end();
            let comma = if members.is_empty() { "" } else { "," };
            format!("{inside}{comma}{member}}}")
        }
    };
    RawValue::from_string(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn kept(metadata: Option<&str>) -> Option<String> {
        let raw = metadata.map(|text| serde_json::from_str::<Box<RawValue>>(text).unwrap());
        with_trace(raw.as_deref(), "T").map(|metadata| metadata.get().to_owned())
    }

    #[test]
    fn metadata_keeps_what_its_writer_wrote() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(kept(None), some(r#"{"traceparent":"T"}"#));
        assert_eq!(kept(Some("{ }")), some(r#"{"traceparent":"T"}"#));
        assert_eq!(kept(Some("{ \"a\" : 1.50 }")), some("{ \"a\" : 1.50,\"traceparent\":\"T\"}"));
        assert_eq!(kept(Some(r#"{"a":{"traceparent":"x"}}"#)), some(r#"{"a":{"traceparent":"x"},"traceparent":"T"}"#));
        for own in
            [r#"{"traceparent":"x"}"#, r#"{"traceparent":null}"#, "{\"trace\\u0070arent\":1}", "[1]", "\"text\"", "7"]
        {
            assert_eq!(kept(Some(own)), None, "{own}");
        }
    }

    #[test]
    fn only_one_valid_context_is_a_trace() {
        let headers = |values: &[&str]| {
            let pair = |value: &&str| (axum::http::HeaderName::from_static(TRACEPARENT), value.parse().unwrap());
            values.iter().map(pair).collect::<HeaderMap>()
        };
        let event = || serde_json::from_str::<api::NewEvent>(r#"{"type":"A","data":{}}"#).unwrap();
        for (values, is_kept) in
            [(&[CONTEXT][..], true), (&["nonsense"], false), (&[CONTEXT, CONTEXT], false), (&[], false)]
        {
            let mut events = [event()];
            let mut all = HeaderMap::new();
            for (name, value) in headers(values) {
                if let Some(name) = name {
                    all.append(name, value);
                } else {
                    all.append(TRACEPARENT, value);
                }
            }
            keep_trace(&all, &mut events);
            assert_eq!(events[0].metadata.is_some(), is_kept, "{values:?}");
        }
    }
}
