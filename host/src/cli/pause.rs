//! `gnomon pause`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Pause a build: it stops following the log. Queries go on reading the rows that it has.
#[derive(Args, Debug)]
pub(super) struct Pause {
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

impl Pause {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let operated = operate(&client, &self.projection, "pause", &BuildQuery { build: self.build }).await?;
        let (label, name, build) = (operated.label(), &self.projection, operated.number());
        say(format_args!("{label} is paused; `gnomon resume {name} {build}` resumes it"));
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
