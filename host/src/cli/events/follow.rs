//! Following events as they are appended.

use std::ops::ControlFlow;

use reqwest::RequestBuilder;

use super::{args::Events, print::print};
use crate::cli::{
    client::Client,
    output::say,
    sse::{Listener, Message, detail, is_error, listen},
};

/// Prints events until it has printed as many as `--limit` says, or without end.
pub(super) async fn follow(client: &Client, events: &Events) -> anyhow::Result<()> {
    listen(client, &mut Follower { events, left: events.limit }).await
}

struct Follower<'e> {
    events: &'e Events,
    /// How many more events to print; `None` for all.
    left: Option<u64>,
}

impl Listener for Follower<'_> {
    fn request(&self, client: &Client) -> RequestBuilder {
        self.events.request(client, self.events.after, None)
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>> {
        if is_error(&message) {
            let id = message.id.as_deref().unwrap_or("?");
            say(format_args!("the host cannot show the event with id {id}: {}", detail(&message)));
            return Ok(ControlFlow::Continue(()));
        }
        let Some(data) = message.data else { return Ok(ControlFlow::Continue(())) };
        print(&data)?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(if self.left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
