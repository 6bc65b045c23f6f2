//! `gnomon rollback`

use clap::Args;

use super::{client::Client, operation::activate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Activate the newest build that was active before and is older than the active one.
///
/// A replaced build goes on following the log, so it misses no event. One that was paused or has halted would stand still: it is activated
/// by its number only (`gnomon activate`). `gnomon activate` without a number activates the newer build again.
#[derive(Args, Debug)]
pub(super) struct Rollback {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Rollback {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let activated = activate(&client, &self.projection, "rollback", &BuildQuery::default()).await?;
        say(activated.describe());
        if self.json {
            activated.print(None)?;
        }
        Ok(())
    }
}
