//! `gnomon rollback`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Activate the build that was active before.
///
/// That build has followed the log all the time, so nothing is missing. `gnomon activate` activates the newer build again.
#[derive(Args, Debug)]
pub(super) struct Rollback {
    /// The projection
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
