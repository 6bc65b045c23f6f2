//! `gnomon events`

mod args;
mod follow;
mod print;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use self::args::Events;
use self::print::print;
use super::{client::Client, output};

/// Events of a page, as they came.
#[derive(Deserialize)]
struct Page<'p> {
    #[serde(borrow)]
    events: Vec<&'p RawValue>,
    next: Option<u64>,
    /// Of a page of the log: the position of its newest event. Of a page of a stream: the version of that.
    #[serde(alias = "version")]
    head: u64,
}

/// Where an event stands.
#[derive(Deserialize)]
struct Place {
    position: u64,
    version: u64,
}

/// Events that are printed if nobody says how many.
const DEFAULT_LIMIT: u64 = 100;
/// Events of a page that every host gives, if it is not told otherwise.
const PAGE: u64 = 100;

impl Events {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        if self.follow {
            if self.direction == "backward" {
                anyhow::bail!("events are followed forward only; leave out --direction or --follow");
            }
            return follow::follow(&client, &self).await;
        }
        let mut left = self.limit.unwrap_or(DEFAULT_LIMIT);
        let mut after = self.after.clone();
        loop {
            let mut request = self.request(&client, after.as_deref()).query(&[("direction", &self.direction)]);
            if left < PAGE {
                request = request.query(&[("limit", left)]);
            }
            let body = client.text(request).await?;
            let page: Page<'_> = client.parse(&body)?;
            // A host with shorter pages gives fewer, one with longer pages gives more.
            let mut printed = None;
            for event in page.events.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                print(event.get())?;
                printed = Some(*event);
                left -= 1;
            }
            // Forward there always is a next page, for events that are yet to come.
            let next = page.next.filter(|next| self.direction == "backward" || *next < page.head);
            let rest = printed.filter(|printed| !std::ptr::eq(*printed, page.events[page.events.len() - 1]));
            let next = match rest {
                Some(printed) => Some(self.place(client.parse(printed.get())?)),
                None => next,
            };
            match next {
                Some(next) if left > 0 => after = Some(next.to_string()),
                Some(next) => {
                    output::say_more(Some(next));
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
    }

    /// Where events go on behind one.
    fn place(&self, event: Place) -> u64 {
        if self.stream.is_some() { event.version } else { event.position }
    }
}
