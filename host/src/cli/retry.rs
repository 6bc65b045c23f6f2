//! `gnomon retry`

use clap::Args;

use super::{
    client::Client,
    operation::{of_build, operate},
    output::say,
};
use crate::config::ClientOptions;

/// Let a build go on that halted or failed, and try again the events that it has set aside.
#[derive(Args, Debug)]
pub(super) struct Retry {
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

impl Retry {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let operated = operate(&client, &self.projection, "retry", &of_build(self.build)).await?;
        let (label, name) = (operated.label(), &self.projection);
        say(format_args!("{label} tries again; `gnomon projections {name}` tells how far it comes"));
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
