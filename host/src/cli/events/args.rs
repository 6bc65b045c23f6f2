//! The arguments of `gnomon events`.

use clap::Args;
use reqwest::{Method, RequestBuilder};

use crate::{
    api::{After, Direction, EventQuery, QueryEventsQuery, ReadEventsQuery, ReadStreamQuery},
    cli::{client::Client, event_query::event_query, stream_name::stream_name},
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
    #[arg(long, visible_alias = "type", value_name = "TYPES", conflicts_with = "stream")]
    pub(super) types: Vec<String>,

    /// Only events of streams of this category, the part of their names before the first `-`; or of several, with commas between
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    pub(super) category: Option<String>,

    /// Only events that have all of these tags, with commas between; a tag that has a comma stands in double quotes; repeatable
    #[arg(long, visible_alias = "tag", value_name = "TAGS", conflicts_with = "stream")]
    pub(super) tags: Vec<String>,

    /// Only events that an event query finds, as JSON: '{"items": [{"types": ["Sold"], "tags": ["shop:1", "item:7"]}, {"tags": ["shop:2"]}]}'
    #[arg(long, value_name = "JSON", value_parser = event_query, conflicts_with_all = ["stream", "types", "category", "tags"])]
    pub(super) query: Option<EventQuery>,

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
        let (direction, upcast) = (self.direction(), self.upcast);
        if let Some(stream) = &self.stream {
            let query = ReadStreamQuery { after, limit, direction };
            return client.get(&["v1", "streams", stream, "events"]).query(&query);
        }
        if let Some(query) = &self.query {
            let request = client.request(Method::POST, &["v1", "events", "query"]).json(query);
            return request.query(&QueryEventsQuery { after, limit, direction, upcast });
        }
        let list = |names: &[String]| (!names.is_empty()).then(|| names.join(","));
        let (types, tags, category) = (list(&self.types), list(&self.tags), self.category.clone());
        client.get(&["v1", "events"]).query(&ReadEventsQuery { after, limit, direction, types, category, tags, upcast })
    }
}

fn after(text: &str) -> Result<After, String> {
    if text == "head" {
        return Ok(After::Head);
    }
    text.parse().map(After::Number).map_err(|_| "give a number or `head`".to_owned())
}
