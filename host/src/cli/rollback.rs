//! `gnomon rollback`

use clap::Args;

use super::{client::Client, operation::operate, output::say};
use crate::{api::BuildQuery, config::ClientOptions};

/// Let queries read the build that was active before.
///
/// It has followed the log all the time, so nothing is missing. `gnomon activate` goes forward again.
#[derive(Args, Debug)]
pub(super) struct Rollback {
    /// The projection
    projection: String,

    /// Print what came of it as JSON
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
