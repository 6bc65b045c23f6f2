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

/// Activate a build of a projection: queries read it from then on.
///
/// If the build has not caught up yet, the command waits for it. The replaced build is kept for a while: `gnomon rollback` activates
/// it again.
#[derive(Args, Debug)]
pub(super) struct ActivateBuild {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the newest that has caught up]
    build: Option<u64>,

    /// Do not wait if the build has not caught up yet
    #[arg(long)]
    no_wait: bool,

    /// Print the result as JSON
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
