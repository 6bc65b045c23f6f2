//! `gnomon on-failure`

use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::json;

use super::{client::Client, output::say, projection::Projection};
use crate::config::ClientOptions;

/// Choose what happens at an event that a projection's module cannot handle.
///
/// It holds from now on, for all builds of the projection. A build that is halted stays so until `gnomon retry`.
#[derive(Args, Debug)]
pub(super) struct OnFailure {
    /// The projection
    projection: String,

    /// What happens
    #[arg(value_enum)]
    on_failure: Choice,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// The build stops there
    Halt,
    /// The event is set aside
    Skip,
    /// The event is set aside, and all later ones of its stream wait behind it
    Park,
}

impl Choice {
    /// Its name, and what it means.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Halt => ("halt", "the build stops there"),
            Self::Skip => ("skip", "the event is set aside"),
            Self::Park => ("park", "the event is set aside, and all later ones of its stream wait behind it"),
        }
    }
}

impl OnFailure {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (name, meaning) = self.on_failure.words();
        let request = client.request(Method::PATCH, &["v1", "projections", &self.projection]);
        let projection: Projection = client.json(request.json(&json!({"on_failure": name}))).await?;
        say(format_args!("at an event that the module of `{}` cannot handle, {meaning}", projection.name));
        for build in projection.builds.iter().filter(|build| build.state == "halted") {
            let (projection, build) = (&projection.name, build.build);
            say(format_args!("build {build} is halted; `gnomon retry {projection} {build}` lets it go on"));
        }
        Ok(())
    }
}
