//! The bytes of an answer as they come, no more of them than a message may have.

use std::{cell::Cell, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Response;

use crate::cli::{client::Client, figures};

/// The host sends something every 15 s; when it has been still for so long, the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// Why no more bytes come.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interrupted {
    #[error("{0}")]
    Broken(String),
    #[error("nothing came for {} s", SILENCE.as_secs())]
    Silent,
    #[error(
        "the host sends a message of more than {}, the limit for one that is followed; read it without --follow or --watch",
        figures::bytes(*max_bytes as u64)
    )]
    TooLarge { max_bytes: usize },
}

/// The bytes of an answer. `held` counts those that came since the last message; whoever takes a message sets it back to 0.
pub(super) fn pieces<'c>(
    client: &'c Client,
    response: Response,
    held: &'c Cell<usize>,
    max_bytes: usize,
) -> impl Stream<Item = Result<Bytes, Interrupted>> + 'c {
    stream::try_unfold(response, move |mut response| async move {
        let piece = tokio::time::timeout(SILENCE, response.chunk()).await.map_err(|_| Interrupted::Silent)?;
        let piece = piece.map_err(|error| Interrupted::Broken(client.connection_error(&error).to_string()))?;
        let Some(piece) = piece else { return Ok(None) };
        held.set(held.get() + piece.len());
        if held.get() > max_bytes {
            return Err(Interrupted::TooLarge { max_bytes });
        }
        Ok(Some((piece, response)))
    })
}
