//! Server-sent events of a host, over broken connections and its restarts.

mod pieces;

use std::{cell::Cell, ops::ControlFlow, pin::pin, time::Duration};

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

/// The pause before coming back; each that follows is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of a message. An event has 1 MiB at most if the host's operator says nothing else.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// What is done with what comes.
pub(super) trait Listener {
    /// What to ask the host for.
    fn request(&self, client: &Client) -> RequestBuilder;

    /// Takes a message; answers whether more are wanted.
    ///
    /// # Errors
    /// It cannot be used.
    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>>;

    /// Says that nothing comes for a while.
    fn pause(&mut self, words: &str) {
        say(words);
    }
}

/// Listens until the listener has enough, or for ever.
pub(super) async fn listen(client: &Client, listener: &mut impl Listener) -> anyhow::Result<()> {
    Connection::new(MAX_MESSAGE_BYTES).listen(client, listener).await
}

/// Whether a message tells of an event that cannot be shown; without an id, of why nothing more comes.
pub(super) fn is_error(message: &Message) -> bool {
    message.event.as_deref() == Some("error")
}

/// What a message that tells of an error says in words.
pub(super) fn detail(message: &Message) -> String {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let data = message.data.as_deref().unwrap_or_default();
    serde_json::from_str(data).map_or_else(|_| data.to_owned(), |Problem { detail }| detail)
}

enum Ended {
    Enough,
    Broken(String),
}

struct Connection {
    /// What the host gave the last message that came.
    last_id: Option<String>,
    backoff: Backoff,
    /// Whether the host answered once.
    heard: bool,
    max_message_bytes: usize,
}

impl Connection {
    fn new(max_message_bytes: usize) -> Self {
        Self { last_id: None, backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE), heard: false, max_message_bytes }
    }

    async fn listen(&mut self, client: &Client, listener: &mut impl Listener) -> anyhow::Result<()> {
        loop {
            let begun = Instant::now();
            let reason = match self.listen_once(client, listener).await? {
                Ended::Enough => return Ok(()),
                Ended::Broken(reason) => reason,
            };
            if begun.elapsed() > LONGEST_PAUSE {
                self.backoff.reset();
            }
            let pause = self.backoff.next_pause();
            listener.pause(&format!("{reason}; coming back in {:.1} s", pause.as_secs_f64()));
            tokio::time::sleep(pause).await;
        }
    }

    async fn listen_once(&mut self, client: &Client, listener: &mut impl Listener) -> anyhow::Result<Ended> {
        let mut request = listener.request(client).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let response = match client.send(request).await {
            Ok(response) => response,
            Err(error) if self.heard && error.may_pass() => return Ok(Ended::Broken(error.in_brief())),
            Err(error) => return Err(error.into()),
        };
        self.heard = true;
        let held = Cell::new(0);
        let mut messages = pin!(SseByteStream::new(pieces(client, response, &held, self.max_message_bytes)));
        loop {
            let mut message = match messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(Error::Body(error))) => match error.downcast_ref() {
                    Some(Interrupted::TooLarge { .. }) => return Err(anyhow!(error)),
                    _ => return Ok(Ended::Broken(error.to_string())),
                },
                Some(Err(error)) => bail!("what {} sends cannot be read: {error}", client.url()),
                None => return Ok(Ended::Broken("the host ended the stream".to_owned())),
            };
            held.set(0);
            if is_error(&message) && message.id.is_none() {
                return Ok(Ended::Broken(format!("the host ended the stream: {}", detail(&message))));
            }
            self.backoff.reset();
            self.last_id = message.id.take().or(self.last_id.take());
            message.id.clone_from(&self.last_id);
            if listener.hear(message)?.is_break() {
                return Ok(Ended::Enough);
            }
        }
    }
}

#[cfg(test)]
mod tests;
