//! `gnomon pause`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Stop a build for a while. Queries go on reading what it holds.
#[derive(Args, Debug)]
pub(super) struct Pause {
    /// The projection
    projection: String,

    /// The build [default: the active one, or the newest where none is active yet]
    build: Option<u64>,

    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Pause {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let operated = operate(&client, &self.projection, "pause", &BuildQuery { build: self.build }).await?;
        let (label, name, build) = (operated.label(), &self.projection, operated.number());
        say(format_args!("{label} is paused; `gnomon resume {name} {build}` lets it go on"));
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
