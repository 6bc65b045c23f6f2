//! Server-sent events of a host, across lost connections and restarts of the host.

mod pieces;

use std::{
    ops::ControlFlow,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{anyhow, bail};
use futures_util::StreamExt as _;
use reqwest::{RequestBuilder, header};
use serde::Deserialize;
pub(super) use sse_stream::Sse as Message;
use sse_stream::{Error, SseByteStream};
use tokio::time::Instant;

use self::pieces::{Interrupted, pieces};
use super::{client::Client, output::say};
use crate::postgres::Backoff;

/// The pause before reconnecting. Each pause after it is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The most bytes of a message. By default, an event has at most 1 MiB.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// The consumer of the messages.
pub(super) trait Listener {
    /// The request that follows.
    fn request(&self, client: &Client) -> RequestBuilder;

    /// Takes a message, and says whether it wants more.
    ///
    /// # Errors
    /// It cannot be used.
    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>>;

    /// Tells the user that the connection is lost, and when it reconnects.
    fn pause(&mut self, message: &str) {
        say(message);
    }
}

/// Follows until the listener wants no more messages, or without end.
pub(super) async fn listen(client: &Client, listener: &mut impl Listener) -> anyhow::Result<()> {
    Connection::new(MAX_MESSAGE_BYTES).listen(client, listener).await
}

/// Whether a message is an error: with an id, of an event that cannot be shown; without one, of the stream, which then ends.
pub(super) fn is_error(message: &Message) -> bool {
    message.event.as_deref() == Some("error")
}

/// The detail of a message that is an error.
pub(super) fn detail(message: &Message) -> String {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let data = message.data.as_deref().unwrap_or_default();
    serde_json::from_str(data).map_or_else(|_| data.to_owned(), |Problem { detail }| detail)
}

/// Why a connection ended.
enum ConnectionEnd {
    /// The listener wants no more.
    Done,
    /// For this reason; it is to be opened again.
    Lost(String),
}

struct Connection {
    /// The id of the last message.
    last_id: Option<String>,
    backoff: Backoff,
    /// Whether the host has answered once.
    answered: bool,
    max_message_bytes: usize,
}

impl Connection {
    fn new(max_message_bytes: usize) -> Self {
        Self { last_id: None, backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE), answered: false, max_message_bytes }
    }

    async fn listen(&mut self, client: &Client, listener: &mut impl Listener) -> anyhow::Result<()> {
        loop {
            let begun = Instant::now();
            let reason = match self.listen_once(client, listener).await? {
                ConnectionEnd::Done => return Ok(()),
                ConnectionEnd::Lost(reason) => reason,
            };
            if begun.elapsed() > LONGEST_PAUSE {
                self.backoff.reset();
            }
            let pause = self.backoff.next_pause();
            listener.pause(&format!("{reason}; reconnecting in {:.1} s", pause.as_secs_f64()));
            tokio::time::sleep(pause).await;
        }
    }

    async fn listen_once(&mut self, client: &Client, listener: &mut impl Listener) -> anyhow::Result<ConnectionEnd> {
        let mut request = listener.request(client).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let response = match client.send(request).await {
            Ok(response) => response,
            Err(error) if self.answered && error.is_temporary() => {
                return Ok(ConnectionEnd::Lost(error.without_advice()));
            }
            Err(error) => return Err(error.into()),
        };
        self.answered = true;
        let held = AtomicUsize::new(0);
        let mut messages = pin!(SseByteStream::new(pieces(client, response, &held, self.max_message_bytes)));
        loop {
            let mut message = match messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(Error::Body(error))) => match error.downcast_ref() {
                    Some(Interrupted::TooLarge { .. }) => return Err(anyhow!(error)),
                    _ => return Ok(ConnectionEnd::Lost(error.to_string())),
                },
                Some(Err(error)) => bail!("cannot read the events of {}: {error}", client.url()),
                None => return Ok(ConnectionEnd::Lost("the host ended the stream".to_owned())),
            };
            held.store(0, Ordering::Relaxed);
            if is_error(&message) && message.id.is_none() {
                return Ok(ConnectionEnd::Lost(format!("the host ended the stream: {}", detail(&message))));
            }
            self.backoff.reset();
            self.last_id = message.id.take().or(self.last_id.take());
            message.id.clone_from(&self.last_id);
            if listener.hear(message)?.is_break() {
                return Ok(ConnectionEnd::Done);
            }
        }
    }
}

#[cfg(test)]
mod tests;
