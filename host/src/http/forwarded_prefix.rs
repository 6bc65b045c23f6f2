//! The header `X-Forwarded-Prefix`: the part of the path under which a proxy serves the host.
//!
//! A host under `https://example.org/gnomon/` gets requests for `/v1/…` from a proxy that removes the prefix, or for `/gnomon/v1/…`
//! from one that leaves it there. Paths in its answers begin with the prefix, so that clients find what they name.

use axum::http::{HeaderMap, Request, Uri, uri::PathAndQuery};

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
    /// The prefix of a request: the one that was found before, with the path of the tenant in it, or the one that the proxy tells.
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let found = request.extensions().get::<Self>().cloned();
        found.unwrap_or_else(|| Self::of_header(request.headers()))
    }

    /// The prefix that the proxy tells. What is not a plain path is not used: `//host` would lead to another host.
    pub(super) fn of_header(headers: &HeaderMap) -> Self {
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

    /// The URI without the prefix, if its path begins with that. Nothing else of the path changes.
    pub(super) fn removed_from(&self, uri: &Uri) -> Option<Uri> {
        let path_and_query = uri.path_and_query()?.as_str();
        let rest = path_and_query.strip_prefix(&self.0).filter(|rest| !self.0.is_empty() && rest.starts_with('/'))?;
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// This prefix, and a path behind it that has no slash at its end.
    pub(super) fn with(&self, path: &str) -> Self {
        Self(self.path(path))
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

/// Removes the prefix from the path, if the proxy has left it there. Proxies that remove it themselves may decode and normalise the path
/// as well, so that `a%2Fb` comes as `a/b`, which is another stream.
pub(super) fn without_prefix<B>(mut request: Request<B>) -> Request<B> {
    if request.extensions().get::<ForwardedPrefix>().is_some() {
        // It was removed before.
        return request;
    }
    if let Some(uri) = ForwardedPrefix::of_header(request.headers()).removed_from(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_prefix_is_a_path_and_nothing_else() {
        let path = |value: &'static str| {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(value))]);
            ForwardedPrefix::of_header(&headers).path("/v1/events")
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

    #[test]
    fn a_prefix_that_was_left_in_the_path_is_removed_and_the_rest_stays_as_it_is() {
        let prefix = ForwardedPrefix("/sub/path".to_owned());
        for (path, removed) in [
            ("/sub/path/v1/streams/a%2F..%2Fb/events?after=1", Some("/v1/streams/a%2F..%2Fb/events?after=1")),
            ("/sub/path/", Some("/")),
            ("/sub/path/sub/path/", Some("/sub/path/")),
            ("/sub/pathology/v1/events", None),
            ("/v1/events", None),
        ] {
            let found = prefix.removed_from(&path.parse().unwrap());
            assert_eq!(found, removed.map(|path| path.parse().unwrap()), "{path}");
        }
        assert_eq!(ForwardedPrefix::default().removed_from(&"/v1/events".parse().unwrap()), None);
    }
}
