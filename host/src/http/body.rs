//! Reading bodies up to a limit.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt;

use super::problem::{Code, Problem};

/// Of a body that is too large, so many bytes are still read, so that the client gets to read the answer.
const DRAIN_BYTES: u64 = 256 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a whole body of at most `max` bytes; `limit` is the name of the setting.
pub(super) async fn read_body(body: Body, max: u64, limit: &'static str) -> Result<Vec<u8>, Problem> {
    let mut bounded = BoundedBody::new(body, max, limit);
    let mut bytes = Vec::new();
    while let Some(chunk) = bounded.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A body that is read chunk by chunk, up to a limit.
pub(super) struct BoundedBody {
    stream: BodyDataStream,
    read: u64,
    max: u64,
    limit: &'static str,
}

impl BoundedBody {
    pub(super) fn new(body: Body, max: u64, limit: &'static str) -> Self {
        Self { stream: body.into_data_stream(), read: 0, max, limit }
    }

    /// The next chunk; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(chunk) = self.stream.next().await else { return Ok(None) };
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::InvalidBody, format!("the body of the request cannot be read to its end: {error}"))
        })?;
        self.read += chunk.len() as u64;
        if self.read > self.max {
            let found = self.drain().await;
            let detail = format!("the body of the request has {found} bytes; the limit {} is {}", self.limit, self.max);
            return Err(Problem::new(Code::BodyTooLarge, detail).with("limit", self.limit).with("max", self.max));
        }
        Ok(Some(chunk))
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
