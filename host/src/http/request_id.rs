//! Request ids: the header `X-Request-Id`.
//!
//! Every request has an id, and every answer tells it. Errors that clients do not see whole are logged with it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids of clients are not used.
const MAX_BYTES: usize = 128;

tokio::task_local! {
    /// The id of the request that the current task answers.
    static CURRENT: RequestId;
}

/// The id of a request: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RequestId(String);

impl RequestId {
    /// A new id, a UUIDv7.
    fn make() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// The id that the client gives, if it is one.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(HEADER)?.as_bytes();
        let is_id = (1..=MAX_BYTES).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
        is_id.then(|| Self(String::from_utf8_lossy(value).into_owned()))
    }

    /// The id of a request with these headers: the client's, or a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self::from_headers(headers).unwrap_or_else(Self::make)
    }

    /// Tells the client the id.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        // Visible ASCII is always a header's value.
        if let Ok(id) = HeaderValue::from_str(&self.0) {
            headers.insert(HEADER, id);
        }
    }

    /// The id of the request that the current task answers; a new one outside of a request.
    pub(super) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_else(|_| Self::make())
    }

    /// Runs `answer` as part of the request with this id. For what outlives the handler, such as a stream of events.
    pub(super) async fn scope<T>(self, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &[u8]) -> Option<RequestId> {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::from_headers(&HeaderMap::from_iter([(HEADER, value)]))
    }

    #[test]
    fn the_id_of_the_client_is_used_if_it_is_one() {
        for id in ["a", "0190f3c2-0000-7000-8000-000000000001", "\"{'id':~1}\"", &"x".repeat(MAX_BYTES)] {
            assert_eq!(given(id.as_bytes()), Some(RequestId(id.to_owned())));
        }
        for other in ["", "two words", "a\tb", "é", &"x".repeat(MAX_BYTES + 1)] {
            assert_eq!(given(other.as_bytes()), None, "{other}");
        }
        assert_eq!(RequestId::from_headers(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn the_current_id_is_that_of_the_scope() {
        let id = RequestId::make();
        assert_eq!(id.clone().scope(async { RequestId::current() }).await, id);
        assert_ne!(RequestId::current(), RequestId::current());
    }
}
