//! `gnomon activate`

use clap::Args;

use super::{
    client::Client,
    follow::{Goal, follow},
    operation::operate,
    output::say,
    progress::Progress,
};
use crate::{api::BuildQuery, config::ClientOptions};

/// Let queries read another build of a projection.
///
/// A build that has not caught up yet is waited for. The one that is replaced is kept for a while: `gnomon rollback` goes back.
#[derive(Args, Debug)]
pub(super) struct ActivateBuild {
    /// The projection
    projection: String,

    /// The build [default: the newest that has caught up]
    build: Option<u64>,

    /// Do not wait for a build that has not caught up yet
    #[arg(long)]
    no_wait: bool,

    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl ActivateBuild {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let operated = operate(&client, &self.projection, "activate", &BuildQuery { build: self.build }).await?;
        let mut build = None;
        if !operated.later {
            say(format_args!("queries read {}", operated.label()));
        } else {
            say(format_args!("queries will read {} when it has caught up", operated.label()));
            if !self.no_wait {
                let progress = Progress::start();
                let followed = follow(&client, &self.projection, operated.number(), Goal::Active, &progress).await?;
                progress.say(followed.describe());
                build = Some(followed.build);
            }
        }
        if self.json {
            operated.print(build.as_ref())?;
        }
        Ok(())
    }
}
