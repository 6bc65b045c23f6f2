//! `gnomon activate`

use clap::Args;

use super::{
    client::Client,
    follow::{Goal, follow},
    operation::activate,
    output::say,
    progress::Progress,
};
use crate::{api::BuildQuery, config::ClientOptions};

/// Activate a build of a projection: queries read it from then on.
///
/// Without a number, it is the newest build that has caught up, of those that are newer than the active one; if none is newer, nothing
/// changes. A build that is older, stopped or still replaying is activated by its number only; the command waits until a replaying one
/// has caught up. The replaced build is kept for a while: `gnomon rollback` activates it again.
#[derive(Args, Debug)]
pub(super) struct ActivateBuild {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build [default: the newest that has caught up and is newer than the active one]
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
        let activated = activate(&client, &self.projection, "activate", &BuildQuery { build: self.build }).await?;
        say(activated.describe());
        let mut build = None;
        if activated.operated.later && !self.no_wait {
            let progress = Progress::start();
            let number = activated.operated.number();
            let followed = follow(&client, &self.projection, number, Goal::Active, &progress).await?;
            progress.say(followed.describe());
            build = Some(followed.build);
        }
        if self.json {
            activated.print(build.as_ref())?;
        }
        Ok(())
    }
}
