//! `gnomon streams`

use clap::Args;

use super::{client::Client, figures, output};
use crate::{
    api::{ListStreamsQuery, Stream, StreamsPage},
    config::ClientOptions,
};

/// List streams by name, a page at a time.
#[derive(Args, Debug)]
pub(super) struct Streams {
    /// Only streams of this category, the part of their names before the first `-`; or of several, with commas between
    #[arg(long)]
    category: Option<String>,

    /// List streams after this name
    #[arg(long, value_name = "STREAM")]
    after: Option<String>,

    /// How many streams to list
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Streams {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = ListStreamsQuery { category: self.category, after: self.after, limit: self.limit };
        let body = client.text(client.get(&["v1", "streams"]).query(&query)).await?;
        let page: StreamsPage = client.parse(&body)?;
        if self.json {
            output::data(&body)?;
            output::say_more(page.next.map(|next| format!("'{next}'")));
            return Ok(());
        }
        if page.streams.is_empty() {
            output::say("no streams");
            return Ok(());
        }
        let mut table = output::table(&["STREAM", "#VERSION", "#LAST POSITION"]);
        for Stream { stream, version, last_position } in page.streams {
            table.add_row([stream, figures::count(version).to_string(), figures::count(last_position).to_string()]);
        }
        output::print_table(&table)?;
        output::say_more(page.next.map(|next| format!("'{next}'")));
        Ok(())
    }
}
