//! Letting a version of a reactor work.

use clap::Args;
use reqwest::Method;

use crate::{
    api::{ActivateReactorQuery, DeployedReactor},
    cli::{client::Client, output::say},
    config::ClientOptions,
};

/// Let a version of a reactor work that was uploaded.
///
/// A reactor that has not begun does so with the next event that comes, or with the one at `--from`. Else the version goes on where the one before
/// stopped, with its rows.
#[derive(Args, Debug)]
// It has an option --version of its own.
#[command(disable_version_flag = true)]
pub(super) struct Activate {
    /// The reactor
    #[arg(add = crate::cli::known_names::modules())]
    reactor: String,

    /// The version [default: the newest]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u32>,

    /// The position of the first event that it gets, if it has not begun [default: the next event that comes]
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,

    #[command(flatten)]
    client: ClientOptions,
}

impl Activate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = ActivateReactorQuery { version: self.wanted, from: self.from };
        let request = client.request(Method::POST, &["v1", "reactors", &self.reactor, "activate"]).query(&query);
        let deployed: DeployedReactor = client.json(request).await?;
        say(describe(&deployed));
        Ok(())
    }
}

/// Says what a deployment has done with a reactor.
pub(in crate::cli) fn describe(deployed: &DeployedReactor) -> String {
    let DeployedReactor { name, version, began_after, replaced_version } = deployed;
    match (began_after, replaced_version) {
        (Some(after), _) => format!("version {version} of reactor `{name}` begins behind position {after}"),
        (None, Some(before)) => {
            format!("version {version} of reactor `{name}` goes on where version {before} stopped")
        }
        (None, None) => format!("version {version} of reactor `{name}` works already"),
    }
}
