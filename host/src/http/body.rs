//! Reading bodies up to a limit.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt;

use super::{
    body_memory,
    problem::{Code, Problem},
};

/// Of a body that is too large, so many bytes are still read, so that the client gets to read the answer.
const DRAIN_BYTES: u64 = 256 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a body that is refused before it is looked at, fewer are read, since that is done when there is too much to do …
const DISCARD_BYTES: usize = 1024 * 1024;
/// … and not for as long.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads a whole body of at most `max` bytes, whose client sends something at least once in `timeout`; `limit` is the name of the setting.
pub(super) async fn read_body(
    body: Body,
    max: u64,
    limit: &'static str,
    timeout: Duration,
) -> Result<Vec<u8>, Problem> {
    let mut bounded = BoundedBody::new(body, max, limit, timeout);
    let mut bytes = Vec::new();
    while let Some(chunk) = bounded.next().await? {
        if let Err(full) = body_memory::take(chunk.len()) {
            drop(bytes);
            bounded.drain().await;
            return Err(full);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads and discards a body that is refused before anybody looks at it, up to some bytes, so that the client gets to read the answer.
pub(super) async fn discard(body: Body) {
    let mut stream = body.into_data_stream();
    let mut left = DISCARD_BYTES;
    let read_on = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, read_on).await;
}

/// A body that is read chunk by chunk, up to a limit.
pub(super) struct BoundedBody {
    stream: BodyDataStream,
    read: u64,
    max: u64,
    limit: &'static str,
    timeout: Duration,
}

impl BoundedBody {
    pub(super) fn new(body: Body, max: u64, limit: &'static str, timeout: Duration) -> Self {
        Self { stream: body.into_data_stream(), read: 0, max, limit, timeout }
    }

    /// The next chunk, however many there were; `None` at the end.
    pub(super) async fn next_unchecked(&mut self) -> Result<Option<Bytes>, Problem> {
        body_memory::set_reading(true);
        let next = tokio::time::timeout(self.timeout, self.stream.next()).await;
        body_memory::set_reading(false);
        let Ok(next) = next else {
            let (read, timeout) = (self.read, self.timeout.as_secs_f64());
            let detail = format!("after {read} bytes of the body, none came for {timeout} s (body_timeout)");
            return Err(Problem::new(Code::BodyTimeout, detail).with("limit", "body_timeout"));
        };
        let Some(chunk) = next else { return Ok(None) };
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::InvalidBody, format!("the body of the request cannot be read to its end: {error}"))
        })?;
        self.read += chunk.len() as u64;
        Ok(Some(chunk))
    }

    /// The next chunk, as long as the body is within its limit; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let chunk = self.next_unchecked().await?;
        if self.read > self.max {
            let found = self.drain().await;
            let detail = format!("the body of the request has {found} bytes; the limit {} is {}", self.limit, self.max);
            return Err(Problem::new(Code::BodyTooLarge, detail).with("limit", self.limit).with("max", self.max));
        }
        Ok(chunk)
    }

    /// Reads on and discards, so that no reset of the connection keeps a client that writes before it reads from seeing the answer.
    /// Returns the size of the body, as far as it was read.
    pub(super) async fn drain(&mut self) -> String {
        let read_on = async {
            while self.read < DRAIN_BYTES {
                match self.stream.next().await {
                    Some(Ok(chunk)) => self.read += chunk.len() as u64,
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            false
        };
        let ended = tokio::time::timeout(DRAIN_TIMEOUT, read_on).await.unwrap_or(false);
        if ended { self.read.to_string() } else { format!("more than {}", self.read) }
    }
}
