//! Headers of requests to sinks.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::{outcome::Failure, sending::Sending, sink::SinkSettings};
use crate::telemetry::TRACEPARENT;

/// A text as the value of a header.
pub(super) fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text)
        .map_err(|_| Failure::of("a header of the request would have a character that no header may have"))
}

/// Adds the span in which the request is sent.
pub(super) fn add_trace(trace: Option<&str>, headers: &mut HeaderMap) {
    // Digits and dashes, as `TraceContext` writes them.
    if let Some(value) = trace.and_then(|trace| HeaderValue::from_str(trace).ok()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// Adds `Authorization`, if the sink has credentials.
pub(super) async fn authorize(
    sending: &Sending,
    settings: &SinkSettings,
    headers: &mut HeaderMap,
) -> Result<(), Failure> {
    let Some(credentials) = &settings.credentials else { return Ok(()) };
    let secret = sending.read(credentials).await?;
    let mut value = HeaderValue::from_str(secret.reveal())
        .map_err(|_| Failure::of(format_args!("the secret of `{credentials}` is not the value of a header")))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}
