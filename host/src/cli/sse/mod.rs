//! Server-sent events of a host, over broken connections and its restarts.

mod parser;

use std::{ops::ControlFlow, time::Duration};

use reqwest::{RequestBuilder, header};
use serde::Deserialize;

pub(super) use self::parser::Message;
use self::parser::Parser;
use super::{client::Client, output::say};

/// The host sends something every 15 s; when it has been still for so long, the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);
/// The pause before coming back; each that follows is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
    let mut stream = Stream { last_id: None, pause: FIRST_PAUSE, heard: false };
    loop {
        match stream.listen(client, listener).await? {
            Ended::Enough => return Ok(()),
            Ended::Broken(reason) => {
                listener.pause(&format!("{reason}; coming back in {:.1} s", stream.pause.as_secs_f64()));
                tokio::time::sleep(stream.pause).await;
                stream.pause = LONGEST_PAUSE.min(stream.pause * 2);
            }
        }
    }
}

struct Stream {
    /// What the host gave the last message that came.
    last_id: Option<String>,
    pause: Duration,
    /// Whether the host answered once.
    heard: bool,
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

impl Stream {
    async fn listen(&mut self, client: &Client, listener: &mut impl Listener) -> anyhow::Result<Ended> {
        let mut request = listener.request(client).header(header::ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let mut response = match client.send(request).await {
            Ok(response) => response,
            Err(error) if self.heard && error.may_pass() => return Ok(Ended::Broken(error.in_brief())),
            Err(error) => return Err(error.into()),
        };
        self.heard = true;
        let mut parser = Parser::default();
        loop {
            let chunk = match tokio::time::timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(Ended::Broken("the host ended the stream".to_owned())),
                Ok(Err(error)) => return Ok(Ended::Broken(client.broken(&error).to_string())),
                Err(_) => return Ok(Ended::Broken(format!("nothing came for {} s", SILENCE.as_secs()))),
            };
            for mut message in parser.feed(&chunk) {
                if message.is_error && message.id.is_none() {
                    return Ok(Ended::Broken(format!("the host ended the stream: {}", detail(&message))));
                }
                self.last_id = message.id.take().or(self.last_id.take());
                message.id.clone_from(&self.last_id);
                if listener.hear(message)?.is_break() {
                    return Ok(Ended::Enough);
                }
            }
            self.pause = FIRST_PAUSE;
        }
    }
}
