//! Which events are asked for.

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

    /// Begin behind this position, or in a stream behind this version; `head` with --follow is for new ones only
    #[arg(long, value_name = "POSITION", value_parser = after)]
    pub(super) after: Option<After>,

    /// How many events to print; with --follow all that come [default: 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,

    /// From older to newer, or from newer to older
    #[arg(long, value_name = "DIRECTION", value_parser = ["forward", "backward"], default_value = "forward")]
    pub(super) direction: String,

    /// Only events of these types, with commas between; a type that has a comma stands in double quotes: 'Sold,"Moved, twice"'
    #[arg(long, value_name = "TYPES", conflicts_with = "stream")]
    pub(super) types: Vec<String>,

    /// Only events of streams of this category, or of several with commas between: what stands before the first `-` of their
    /// names
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    pub(super) category: Option<String>,

    /// Go on with events as they are appended, until Ctrl-C
    #[arg(long)]
    pub(super) follow: bool,

    #[command(flatten)]
    pub(super) client: ClientOptions,
}

impl Events {
    /// In which order.
    pub(super) fn direction(&self) -> Direction {
        if self.direction == "backward" { Direction::Backward } else { Direction::Forward }
    }

    /// The request for events behind some place, for `limit` of them or for as many as the host gives.
    pub(super) fn request(&self, client: &Client, after: Option<After>, limit: Option<u64>) -> RequestBuilder {
        let direction = self.direction();
        match &self.stream {
            Some(stream) => {
                client.get(&["v1", "streams", stream, "events"]).query(&ReadStreamQuery { after, limit, direction })
            }
            None => {
                let types = (!self.types.is_empty()).then(|| self.types.join(","));
                let category = self.category.clone();
                let query = ReadEventsQuery { after, limit, direction, types, category, upcast: false };
                client.get(&["v1", "events"]).query(&query)
            }
        }
    }
}

fn after(text: &str) -> Result<After, String> {
    if text == "head" {
        return Ok(After::Head);
    }
    text.parse().map(After::Number).map_err(|_| "a number or `head` is needed".to_owned())
}
