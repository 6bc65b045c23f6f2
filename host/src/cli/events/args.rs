//! The arguments of `gnomon events`.

use clap::Args;
use reqwest::RequestBuilder;

use crate::{
    api::{After, Direction, ReadEventsQuery, ReadStreamQuery},
    cli::{client::Client, stream_name::stream_name},
    config::ClientOptions,
};

/// Print events, each as one line of JSON.
#[derive(Args, Debug)]
pub(in crate::cli) struct Events {
    /// The stream [default: the whole log]
    #[arg(value_parser = stream_name)]
    pub(super) stream: Option<String>,

    /// Print events after this position, or of a stream after this version; with --follow, `head` prints only new events
    #[arg(long, value_name = "POSITION", value_parser = after)]
    pub(super) after: Option<After>,

    /// How many events to print; with --follow, the default is all [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,

    /// Whether to print from older to newer events, or from newer to older
    #[arg(long, value_name = "DIRECTION", value_parser = ["forward", "backward"], default_value = "forward")]
    pub(super) direction: String,

    /// Only events of these types, with commas between; a type that has a comma stands in double quotes: 'Sold,"Moved, twice"'
    #[arg(long, value_name = "TYPES", conflicts_with = "stream")]
    pub(super) types: Vec<String>,

    /// Only events of streams of this category, the part of their names before the first `-`; or of several, with commas between
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    pub(super) category: Option<String>,

    /// Print events as the active upcasters make them, and not as they are in the log; --limit counts the events of the log
    #[arg(long, conflicts_with_all = ["stream", "follow"])]
    pub(super) upcast: bool,

    /// Also print new events as they are appended, until Ctrl-C
    #[arg(long)]
    pub(super) follow: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

impl Events {
    /// The order.
    pub(super) fn direction(&self) -> Direction {
        if self.direction == "backward" { Direction::Backward } else { Direction::Forward }
    }

    /// The request for events after a position or version, at most `limit`, or as many as the host gives.
    pub(super) fn request(&self, client: &Client, after: Option<After>, limit: Option<u64>) -> RequestBuilder {
        let direction = self.direction();
        match &self.stream {
            Some(stream) => {
                client.get(&["v1", "streams", stream, "events"]).query(&ReadStreamQuery { after, limit, direction })
            }
            None => {
                let types = (!self.types.is_empty()).then(|| self.types.join(","));
                let category = self.category.clone();
                let query = ReadEventsQuery { after, limit, direction, types, category, upcast: self.upcast };
                client.get(&["v1", "events"]).query(&query)
            }
        }
    }
}

fn after(text: &str) -> Result<After, String> {
    if text == "head" {
        return Ok(After::Head);
    }
    text.parse().map(After::Number).map_err(|_| "give a number or `head`".to_owned())
}
