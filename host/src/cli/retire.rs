//! `gnomon retire`

use clap::Args;
use reqwest::Method;

use super::{client::Client, output::say};
use crate::config::ClientOptions;

/// Retire a build that is not active: its tables are dropped, its history is kept.
#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build
    build: u64,

    #[command(flatten)]
    client: ClientOptions,
}

impl Retire {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let build = self.build.to_string();
        client.send(client.request(Method::DELETE, &["v1", "projections", &self.projection, "builds", &build])).await?;
        say(format_args!("build {} of `{}` is retired: its tables are dropped", self.build, self.projection));
        Ok(())
    }
}
