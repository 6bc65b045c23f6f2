//! `gnomon rebuild`

use clap::Args;

use super::{client::Client, deploy::Activate, follow::follow, operation::operate, output::say, progress::Progress};
use crate::{api::RebuildQuery, config::ClientOptions};

/// Build a projection's read model again from the first event, beside the active build.
///
/// The new build uses the upcasters that are active now. It becomes the active build when it has caught up.
#[derive(Args, Debug)]
// It has an option --version of its own.
#[command(disable_version_flag = true)]
pub(super) struct Rebuild {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The version to build [default: that of the active build]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u32>,

    /// When the new build becomes active
    #[arg(long, value_enum, default_value_t)]
    activate: Activate,

    /// Do not wait until the new build has caught up
    #[arg(long)]
    no_wait: bool,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Rebuild {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = RebuildQuery { version: self.wanted, activate: self.activate.into() };
        let begun = operate(&client, &self.projection, "rebuild", &query).await?;
        say(format_args!("{} was begun", begun.label()));
        let mut build = None;
        if !self.no_wait {
            let progress = Progress::start();
            let goal = self.activate.goal();
            let followed = follow(&client, &self.projection, begun.number(), goal, &progress).await?;
            progress.say(followed.describe());
            if !followed.is_active() && self.activate == Activate::Manual {
                let (name, build) = (&self.projection, begun.number());
                progress.say(format_args!(
                    "`gnomon compare {name}` shows how it differs, `gnomon activate {name} {build}` activates it"
                ));
            }
            build = Some(followed.build);
        }
        if self.json {
            begun.print(build.as_ref())?;
        }
        Ok(())
    }
}
