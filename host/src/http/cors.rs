//! Browsers of other origins: the host lets them read if it is told to, and never lets them change anything.
//!
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>

use std::{fmt, str::FromStr, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, Uri, header, request::Parts};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};

/// How long a browser may keep the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Headers of answers that programs in browsers may read. Browsers show a few others to each, such as `Content-Type`.
const EXPOSED: [HeaderName; 16] = [
    HeaderName::from_static("content-profile"),
    HeaderName::from_static("gnomon-build"),
    HeaderName::from_static("gnomon-max-rows"),
    HeaderName::from_static("gnomon-next"),
    HeaderName::from_static("gnomon-past-build"),
    HeaderName::from_static("gnomon-position"),
    HeaderName::from_static("gnomon-session"),
    HeaderName::from_static("gnomon-version"),
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("proxy-status"),
    HeaderName::from_static("x-request-id"),
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::ETAG,
    header::LINK,
    header::RETRY_AFTER,
];

/// An origin whose pages may read: `https://app.example`, or `*` for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsOrigin(String);

/// Why a text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an origin: {reason}; write scheme, host and port as in https://app.example or http://localhost:5173, or * for each"
)]
pub struct CorsOriginError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for CorsOrigin {
    type Err = CorsOriginError;

    fn from_str(text: &str) -> Result<Self, CorsOriginError> {
        let refuse = |reason| CorsOriginError { text: text.to_owned(), reason };
        if text == "*" || text == "null" {
            return Ok(Self(text.to_owned()));
        }
        let Some((scheme, authority)) = text.split_once("://") else {
            return Err(refuse("it has no scheme"));
        };
        if authority.contains(['/', '?', '#']) {
            return Err(refuse("an origin has no path, not even a slash at its end"));
        }
        if text.contains('*') {
            return Err(refuse("`*` stands alone, for each origin; write each of several origins"));
        }
        if authority.contains('@') {
            return Err(refuse("an origin has no user"));
        }
        let has_host = text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
        if scheme.is_empty() || !has_host {
            return Err(refuse("it has no host, or characters that a host cannot have"));
        }
        // Browsers send both in lower case.
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CorsOrigin {
    fn allows(&self, origin: &HeaderValue) -> bool {
        self.0 == "*" || self.0.as_bytes() == origin.as_bytes()
    }
}

/// Answers preflights, and tells browsers that pages of these origins may read.
///
/// Only requests that read get the headers: the answer to a POST, which a browser sends without asking if it has no body, stays
/// hidden.
pub(super) fn layer(origins: Vec<CorsOrigin>) -> CorsLayer {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    let allowed = move |origin: &HeaderValue, request: &Parts| {
        reads.contains(&request.method) && origins.iter().any(|known| known.allows(origin))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::HEAD])
        // With a proxy that authenticates, `Authorization` is among them, which `*` does not stand for.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list(EXPOSED))
        .max_age(MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for text in
            ["https://app.example", "http://localhost:5173", "http://[::1]:80", "tauri://localhost", "*", "null"]
        {
            assert_eq!(text.parse::<CorsOrigin>().map(|origin| origin.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("HTTPS://App.Example".parse::<CorsOrigin>().unwrap().to_string(), "https://app.example");
        for (text, reason) in [
            ("app.example", "it has no scheme"),
            ("https://*.example", "stands alone"),
            ("https://app.example/", "no path"),
            ("https://app.example/x", "no path"),
            ("https://u:p@app.example", "no user"),
            ("https://", "no host"),
            ("https://a b", "cannot have"),
            ("", "it has no scheme"),
        ] {
            let error = text.parse::<CorsOrigin>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("http://localhost:5173"), "{error}");
        }
    }
}
