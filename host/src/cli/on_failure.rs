//! `gnomon on-failure`

use clap::{Args, ValueEnum};
use reqwest::Method;

use super::{client::Client, output::say};
use crate::{
    api::{self, BuildState, ConfigureProjection, Projection},
    config::ClientOptions,
};

/// Choose what happens at an event that a projection's module cannot handle.
///
/// The policy applies from now on, to all builds of the projection. A build that is halted stays halted until `gnomon retry`.
#[derive(Args, Debug)]
pub(super) struct OnFailure {
    /// The projection
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    /// The policy
    #[arg(value_enum)]
    on_failure: FailurePolicy,

    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailurePolicy {
    /// The work stops there
    Halt,
    /// The event is set aside
    Skip,
    /// The event is set aside, and so are all later events of its stream
    Park,
}

impl FailurePolicy {
    /// The policy of the API, and its meaning.
    pub(super) fn policy(self) -> (api::OnFailure, &'static str) {
        match self {
            Self::Halt => (api::OnFailure::Halt, "the build stops there"),
            Self::Skip => (api::OnFailure::Skip, "the event is set aside"),
            Self::Park => (api::OnFailure::Park, "the event is set aside, and so are all later events of its stream"),
        }
    }
}

impl OnFailure {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (on_failure, meaning) = self.on_failure.policy();
        let request = client.request(Method::PATCH, &["v1", "projections", &self.projection]);
        let projection: Projection = client.json(request.json(&ConfigureProjection { on_failure })).await?;
        say(format_args!("at an event that the module of `{}` cannot handle, {meaning}", projection.name));
        for build in projection.builds.iter().filter(|build| build.state == BuildState::Halted) {
            let (projection, build) = (&projection.name, build.build);
            say(format_args!("build {build} is halted; `gnomon retry {projection} {build}` lets it continue"));
        }
        Ok(())
    }
}
