//! `gnomon events`

mod follow;

use std::io;

use clap::Args;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{client::Client, output};
use crate::config::ClientOptions;

/// Print events, each as one line of JSON.
#[derive(Args, Debug)]
pub(super) struct Events {
    /// The stream [default: the whole log]
    #[arg(value_parser = super::stream_name)]
    stream: Option<String>,

    /// Begin behind this position, or in a stream behind this version; `head` with --follow is for new ones only
    #[arg(long, value_name = "POSITION")]
    after: Option<String>,

    /// How many events to print; with --follow all that come [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// From older to newer, or from newer to older
    #[arg(long, value_name = "DIRECTION", value_parser = ["forward", "backward"], default_value = "forward")]
    direction: String,

    /// Only events of these types, with commas between; a type that has a comma stands in double quotes: 'Sold,"Moved, twice"'
    #[arg(long, value_name = "TYPES", conflicts_with = "stream")]
    types: Vec<String>,

    /// Only events of streams of this category, or of several with commas between: what stands before the first `-` of their
    /// names
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    category: Option<String>,

    /// Go on with events as they are appended, until Ctrl-C
    #[arg(long)]
    follow: bool,

    #[command(flatten)]
    client: ClientOptions,
}

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
    pub(super) async fn run(self) -> anyhow::Result<()> {
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

    /// The request for events behind some place.
    fn request(&self, client: &Client, after: Option<&str>) -> RequestBuilder {
        let request = match &self.stream {
            Some(stream) => client.get(&["v1", "streams", stream, "events"]),
            None => client.get(&["v1", "events"]),
        };
        let types = (!self.types.is_empty()).then(|| self.types.join(","));
        request.query(&[("after", after), ("types", types.as_deref()), ("category", self.category.as_deref())])
    }
}

/// Prints an event in one line. Its data is as its writer wrote it, perhaps in several; in JSON a line's end outside of a text is
/// a space like any other, and inside of one there is none.
fn print(event: &str) -> io::Result<()> {
    if event.contains(['\n', '\r']) {
        return output::data(event.replace(['\n', '\r'], " "));
    }
    output::data(event)
}
