//! Request ids: the header `X-Request-Id`.
//!
//! Every request has an id, and every answer tells it. Errors that clients do not see whole are logged with it.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use uuid::Builder;

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
    /// A new id, a UUIDv7. Its random part is the number of the request under a secret of this process: to ask the system for randomness would be
    /// the only system call that answering has beside those of the socket.
    fn make() -> Self {
        static SECRET: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
        let [high, low] = SECRET.each_ref().map(|secret| secret.hash_one(request).to_be_bytes());
        let random = [high[0], high[1], low[0], low[1], low[2], low[3], low[4], low[5], low[6], low[7]];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string())
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

    #[test]
    fn no_two_requests_have_the_same_new_id() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| RequestId::make().0).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.parse::<uuid::Uuid>().unwrap().get_version_num() == 7));
    }

    #[tokio::test]
    async fn the_current_id_is_that_of_the_scope() {
        let id = RequestId::make();
        assert_eq!(id.clone().scope(async { RequestId::current() }).await, id);
        assert_ne!(RequestId::current(), RequestId::current());
    }
}
