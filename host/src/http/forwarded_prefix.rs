//! The header `X-Forwarded-Prefix`: the part of the path that a proxy has removed.
//!
//! A host under `https://example.org/gnomon/` gets requests for `/v1/…`. Paths in its answers begin with the prefix if the proxy
//! tells it, so that clients find what they name.

use axum::{extract::Request, http::HeaderMap, middleware::Next, response::Response};

const HEADER: &str = "x-forwarded-prefix";
/// Longer prefixes are not used.
const MAX_BYTES: usize = 256;

tokio::task_local! {
    /// The prefix of the request that the current task answers.
    static CURRENT: ForwardedPrefix;
}

/// A path without a slash at its end; empty if the request came without a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ForwardedPrefix(String);

impl ForwardedPrefix {
    /// The prefix that the proxy tells. What is not a plain path is not used: `//host` would lead to another host.
    fn from_headers(headers: &HeaderMap) -> Self {
        let value = headers.get(HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let prefix = value.trim().trim_end_matches('/');
        let is_path = prefix.len() <= MAX_BYTES
            && prefix.starts_with('/')
            && !prefix.contains("//")
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%@:+".contains(&byte));
        if is_path { Self(prefix.to_owned()) } else { Self::default() }
    }

    /// The prefix of the request that the current task answers.
    pub(super) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// A path of this host, as the client has to write it.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Runs `answer` as part of a request with this prefix. For what outlives the handler, such as a stream of events.
    pub(super) async fn scope<T>(self, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }
}

/// Keeps the prefix while the request is answered.
pub(super) async fn with_forwarded_prefix(request: Request, next: Next) -> Response {
    let prefix = ForwardedPrefix::from_headers(request.headers());
    prefix.scope(next.run(request)).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_prefix_is_a_path_and_nothing_else() {
        let path = |value: &'static str| {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(value))]);
            ForwardedPrefix::from_headers(&headers).path("/v1/events")
        };
        for value in ["/sub/path", "/sub/path/", " /sub/path"] {
            assert_eq!(path(value), "/sub/path/v1/events", "{value}");
        }
        for value in
            ["", "/", "sub", "//evil.example", "/a//b", "https://evil.example", "/a\"b", "/a b", "/a?b", "/a#b"]
        {
            assert_eq!(path(value), "/v1/events", "{value}");
        }
    }
}
