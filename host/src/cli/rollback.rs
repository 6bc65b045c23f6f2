//! `gnomon rollback`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Activate the build that was active before.
///
/// A replaced build goes on following the log, so it misses no event; one that was paused or has halted must catch up first. `gnomon
/// activate` activates the newer build again.
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
        let operated = operate(&client, &self.projection, "rollback", &BuildQuery::default()).await?;
        say(format_args!("queries read {} again", operated.label()));
        if self.json {
            operated.print(None)?;
        }
        Ok(())
    }
}
