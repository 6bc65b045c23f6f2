//! Addresses of sinks.

use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// Bytes of a URL, at most.
const MAX_BYTES: usize = 2048;

/// The address of a sink. It has no user and no password: it is shown to whoever may see sinks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SinkUrl(Url);

/// Why a text is not a [`SinkUrl`]. It is not shown: it may have a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkUrlError {
    /// It is no URL.
    #[error("it is not a URL: {0}")]
    Malformed(String),
    /// It is one of another kind.
    #[error("a sink has a URL that begins with http://, https://, nats:// or tls://, and names a host")]
    OtherScheme,
    /// It has a user or a password.
    #[error(
        "a URL with a user or a password is not taken, since it would be shown; give them by reference, as `credentials`"
    )]
    Credentials,
    /// It has a fragment, or it is too long.
    #[error("a sink's URL has no `#`, and at most {MAX_BYTES} bytes")]
    TooMuch,
}

impl SinkUrl {
    /// Checks a URL.
    ///
    /// # Errors
    /// It is none, or not one of a sink.
    pub fn new(url: &str) -> Result<Self, SinkUrlError> {
        let too_long = url.len() > MAX_BYTES;
        let url = Url::parse(url).map_err(|error| SinkUrlError::Malformed(error.to_string()))?;
        if !["http", "https", "nats", "tls"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
            return Err(SinkUrlError::OtherScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SinkUrlError::Credentials);
        }
        if too_long || url.fragment().is_some() { Err(SinkUrlError::TooMuch) } else { Ok(Self(url)) }
    }

    /// Whether it is one of NATS.
    #[must_use]
    pub fn is_nats(&self) -> bool {
        matches!(self.0.scheme(), "nats" | "tls")
    }

    /// The URL.
    pub(super) fn get(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SinkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SinkUrl({})", self.0)
    }
}

impl fmt::Display for SinkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl TryFrom<String> for SinkUrl {
    type Error = SinkUrlError;

    fn try_from(url: String) -> Result<Self, SinkUrlError> {
        Self::new(&url)
    }
}

impl From<SinkUrl> for String {
    fn from(url: SinkUrl) -> Self {
        url.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_shown_is_taken() {
        for url in
            ["http://127.0.0.1:8080/a?b=c", "https://example.com/", "nats://example.com:4222", "tls://[::1]:4222"]
        {
            assert!(SinkUrl::new(url).is_ok(), "{url}");
        }
        for url in ["ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:,a", "nats:example.com"] {
            assert!(matches!(SinkUrl::new(url), Err(SinkUrlError::OtherScheme)), "{url}");
        }
        for url in ["http://user@example.com/", "https://:pw@example.com/", "nats://token@example.com"] {
            assert_eq!(SinkUrl::new(url), Err(SinkUrlError::Credentials), "{url}");
        }
        for url in ["", "example.com", "http://", "//example.com"] {
            assert!(SinkUrl::new(url).is_err(), "{url}");
        }
        assert_eq!(SinkUrl::new("http://example.com/#a"), Err(SinkUrlError::TooMuch));
        assert_eq!(SinkUrl::new(&format!("http://example.com/{}", "a".repeat(2048))), Err(SinkUrlError::TooMuch));
    }
}
