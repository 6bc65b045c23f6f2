//! `gnomon events`

mod args;
mod follow;
mod print;

use serde_json::value::RawValue;

pub(super) use self::args::Events;
use self::print::print;
use super::{
    client::{Client, ClientError},
    output,
};
use crate::api::{After, Direction, Event, EventsPage, StreamPage};

/// A page of the log or of a stream; the events are kept as the host wrote them.
struct EventPage<'p> {
    events: Vec<&'p RawValue>,
    next: Option<u64>,
    /// The position of the newest event of the log, or its version in a stream.
    newest: u64,
}

/// The event that was printed last.
#[derive(Clone, Copy)]
struct Printed {
    /// Its position, or its version in a stream.
    position: u64,
    /// Whether it is the last of its page.
    last: bool,
}

/// Events that are printed without --limit.
const DEFAULT_LIMIT: u64 = 100;
/// Events of a page that a host gives by default.
const PAGE: u64 = 100;

impl Events {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        if self.follow {
            if self.direction() == Direction::Backward {
                anyhow::bail!("events are followed forward only; leave out --direction or --follow");
            }
            return follow::follow(&client, &self).await;
        }
        let mut left = self.limit.unwrap_or(DEFAULT_LIMIT);
        let mut after = self.after;
        let mut first_head = None;
        loop {
            let body = client.text(self.request(&client, after, (left < PAGE).then_some(left))).await?;
            let page = self.page(&client, &body)?;
            let head = *first_head.get_or_insert(page.newest);
            // The default page of a host can be shorter or longer.
            let mut printed: Option<Printed> = None;
            for (index, event) in page.events.iter().enumerate() {
                let position = self.after(&client.parse(event.get())?);
                // Upcasters make several events of one, which are printed together.
                let is_next = printed.is_none_or(|printed| printed.position != position);
                if is_next && left == 0 {
                    break;
                }
                print(event.get())?;
                printed = Some(Printed { position, last: index + 1 == page.events.len() });
                left -= u64::from(is_next);
            }
            // Read forward, the last page has a `next` as well, for events that are appended later.
            let next = page.next.filter(|next| self.direction() == Direction::Backward || *next < page.newest);
            let next = match printed {
                Some(Printed { position, last: false }) => Some(position),
                _ => next,
            };
            match next {
                Some(next) if left > 0 => after = Some(After::Number(next)),
                Some(next) => {
                    output::say_more(Some(next));
                    // What is newer was found first.
                    if self.direction() == Direction::Backward {
                        self.say_known(head);
                    }
                    return Ok(());
                }
                None => {
                    self.say_known(if self.direction() == Direction::Backward { head } else { page.newest });
                    return Ok(());
                }
            }
        }
    }

    fn page<'p>(&self, client: &Client, body: &'p str) -> Result<EventPage<'p>, ClientError> {
        Ok(if self.stream.is_some() {
            let StreamPage { events, next, version, .. } = client.parse(body)?;
            EventPage { events, next, newest: version }
        } else {
            let EventsPage { events, next, head } = client.parse(body)?;
            EventPage { events, next, newest: head }
        })
    }

    /// Says up to which position the events that the user asks for by tags are known, for a condition on them.
    fn say_known(&self, position: u64) {
        if self.query.is_some() || !self.tags.is_empty() {
            output::say(format_args!("read up to position {position}, the \"after\" of a condition on what was read"));
        }
    }

    /// The `--after` of the events after this one.
    fn after(&self, event: &Event) -> u64 {
        if self.stream.is_some() { event.version } else { event.position }
    }
}
