//! Which events are asked for.

use clap::Args;
use reqwest::RequestBuilder;

use crate::{
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
    #[arg(long, value_name = "POSITION")]
    pub(super) after: Option<String>,

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
    /// The request for events behind some place.
    pub(super) fn request(&self, client: &Client, after: Option<&str>) -> RequestBuilder {
        let request = match &self.stream {
            Some(stream) => client.get(&["v1", "streams", stream, "events"]),
            None => client.get(&["v1", "events"]),
        };
        let types = (!self.types.is_empty()).then(|| self.types.join(","));
        request.query(&[("after", after), ("types", types.as_deref()), ("category", self.category.as_deref())])
    }
}
