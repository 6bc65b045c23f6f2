//! The bytes of an answer as they come, limited to the bytes of one message.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Response;

use crate::cli::{client::Client, figures};

/// A host sends something every 15 s; if nothing comes for so long, the connection is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);

/// Why an answer ends before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interrupted {
    #[error("{0}")]
    Broken(String),
    #[error("nothing came for {} s", SILENCE_TIMEOUT.as_secs())]
    Silent,
    #[error(
        "the host sent a message of more than {}, the limit of --follow and --watch; read it without them",
        figures::bytes(*max_bytes as u64)
    )]
    TooLarge { max_bytes: usize },
}

/// The bytes of an answer. `held` counts those since the last message; the caller resets it with each message.
pub(super) fn pieces<'c>(
    client: &'c Client,
    response: Response,
    held: &'c AtomicUsize,
    max_bytes: usize,
) -> impl Stream<Item = Result<Bytes, Interrupted>> + 'c {
    stream::try_unfold(response, move |mut response| async move {
        let piece = tokio::time::timeout(SILENCE_TIMEOUT, response.chunk()).await.map_err(|_| Interrupted::Silent)?;
        let piece = piece.map_err(|error| Interrupted::Broken(client.connection_error(&error).to_string()))?;
        let Some(piece) = piece else { return Ok(None) };
        let bytes = held.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
        if bytes > max_bytes {
            return Err(Interrupted::TooLarge { max_bytes });
        }
        Ok(Some((piece, response)))
    })
}
