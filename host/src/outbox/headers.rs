//! Headers of requests to sinks.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::{outcome::Failure, sending::Sending, sink::SinkSettings};

/// A text as the value of a header.
pub(super) fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text)
        .map_err(|_| Failure::of("a header of the request would have a character that no header may have"))
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
