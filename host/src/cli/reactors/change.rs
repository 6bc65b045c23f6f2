//! Pausing and resuming a reactor, and choosing what happens at events that its module cannot handle.

use clap::Args;
use reqwest::Method;

use crate::{
    api::{ConfigureReactor, Reactor, ReactorState},
    cli::{client::Client, on_failure::FailurePolicy, output::say},
    config::ClientOptions,
};

/// Pause a reactor: it does nothing more until it is resumed.
#[derive(Args, Debug)]
pub(super) struct Pause {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    #[command(flatten)]
    client: ClientOptions,
}

/// Resume a reactor that is paused.
#[derive(Args, Debug)]
pub(super) struct Resume {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    #[command(flatten)]
    client: ClientOptions,
}

/// Choose what happens at an event that a reactor's module cannot handle.
///
/// The policy applies from now on. A reactor that is halted stays halted until `gnomon reactors retry`.
#[derive(Args, Debug)]
pub(super) struct OnFailure {
    /// The reactor
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    /// The policy
    #[arg(value_enum)]
    on_failure: FailurePolicy,

    #[command(flatten)]
    client: ClientOptions,
}

impl Pause {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let name = &self.reactor;
        let paused: Reactor = client.json(client.request(Method::POST, &["v1", "reactors", name, "pause"])).await?;
        let checkpoint = paused.checkpoint;
        say(format_args!(
            "reactor `{name}` is paused at position {checkpoint}; `gnomon reactors resume {name}` resumes it"
        ));
        Ok(())
    }
}

impl Resume {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let name = &self.reactor;
        let resumed: Reactor = client.json(client.request(Method::POST, &["v1", "reactors", name, "resume"])).await?;
        say(format_args!("reactor `{name}` is resumed at position {}", resumed.checkpoint));
        Ok(())
    }
}

impl OnFailure {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let (on_failure, _) = self.on_failure.policy();
        let meaning = match self.on_failure {
            FailurePolicy::Halt => "the reactor stops there",
            FailurePolicy::Skip => "the event is set aside",
            FailurePolicy::Park => "the event is set aside, and so are all later events of its stream",
        };
        let name = &self.reactor;
        let request = client.request(Method::PATCH, &["v1", "reactors", name]);
        let reactor: Reactor = client.json(request.json(&ConfigureReactor { on_failure })).await?;
        say(format_args!("at an event that the module of `{name}` cannot handle, {meaning}"));
        if reactor.state == ReactorState::Halted {
            say(format_args!("reactor `{name}` is halted; `gnomon reactors retry {name}` lets it continue"));
        }
        Ok(())
    }
}
