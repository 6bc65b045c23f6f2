//! `gnomon resume`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Resume a paused build.
#[derive(Args, Debug)]
pub(super) struct Resume {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the active one, or the newest if none is active]
    build: Option<u64>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Resume {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let operated = operate(&client, &self.projection, "resume", &BuildQuery { build: self.build }).await?;
        say(format_args!("{} is resumed", operated.label()));
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
