//! Following events as they are appended, over broken connections and restarts of the host.

use std::time::Duration;

use reqwest::header;

use super::{Events, print, sse::Parser};
use crate::cli::{client::Client, output::say};

/// The host sends something every 15 s; when it has been still for so long, the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);
/// The pause before coming back; each that follows is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Prints events until there were as many as wanted, or for ever.
pub(super) async fn follow(client: &Client, events: &Events) -> anyhow::Result<()> {
    let mut follower =
        Follower { left: events.limit, last_id: None, after: events.after.clone(), pause: FIRST_PAUSE, heard: false };
    loop {
        match follower.listen(client, events).await? {
            Ended::Enough => return Ok(()),
            Ended::Broken(reason) => {
                say(format_args!("{reason}; coming back in {:.1} s", follower.pause.as_secs_f64()));
                tokio::time::sleep(follower.pause).await;
                follower.pause = LONGEST_PAUSE.min(follower.pause * 2);
            }
        }
    }
}

struct Follower {
    /// Events still wanted; none for all.
    left: Option<u64>,
    /// What the host gave the last event that came.
    last_id: Option<String>,
    after: Option<String>,
    pause: Duration,
    /// Whether the host answered once.
    heard: bool,
}

enum Ended {
    Enough,
    Broken(String),
}

impl Follower {
    async fn listen(&mut self, client: &Client, events: &Events) -> anyhow::Result<Ended> {
        let mut request = events.request(client, self.after.as_deref()).header(header::ACCEPT, "text/event-stream");
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
            self.pause = FIRST_PAUSE;
            for message in parser.feed(&chunk) {
                self.last_id = message.id.or(self.last_id.take());
                let Some(data) = message.data else { continue };
                if message.is_error {
                    say(format_args!(
                        "the host cannot show the event {}: {data}",
                        self.last_id.as_deref().unwrap_or("?")
                    ));
                    continue;
                }
                print(&data)?;
                self.left = self.left.map(|left| left.saturating_sub(1));
                if self.left == Some(0) {
                    return Ok(Ended::Enough);
                }
            }
        }
    }
}
