//! `gnomon retire`

use clap::Args;
use reqwest::Method;

use super::{client::Client, output::say};
use crate::config::ClientOptions;

/// Retire a build that is not active: its tables are dropped, its history is kept. Or retire a build that shows the past: nothing is left of it.
#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The build
    #[arg(required_unless_present = "past")]
    build: Option<u64>,

    /// The past build, instead of a build
    #[arg(long, value_name = "NUMBER", conflicts_with = "build")]
    past: Option<u64>,

    #[command(flatten)]
    client: ClientOptions,
}

impl Retire {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (kind, words, number) = match (self.build, self.past) {
            (Some(build), _) => ("builds", "build", build),
            (None, past) => ("past-builds", "past build", past.unwrap_or_default()),
        };
        let path = ["v1", "projections", &self.projection, kind, &number.to_string()];
        client.send(client.request(Method::DELETE, &path)).await?;
        say(format_args!("{words} {number} of `{}` is retired: its tables are dropped", self.projection));
        Ok(())
    }
}
