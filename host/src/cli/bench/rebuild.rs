//! `gnomon bench rebuild`

use std::time::{Duration, Instant};

use clap::Args;
use reqwest::Method;
use serde::Serialize;

use crate::{
    api::{Activation, BuildState, Projection, RebuildQuery},
    cli::{client::Client, figures, operation::operate, output},
    config::ClientOptions,
};

/// How often the state of the builds is read.
const EVERY: Duration = Duration::from_millis(20);

/// Measure rebuilds of projections, all at once. The new builds are retired in the end.
#[derive(Args, Debug)]
pub(super) struct Rebuild {
    /// The projections; their active builds stay active
    #[arg(required = true, value_name = "PROJECTION")]
    projections: Vec<String>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// The results of a measurement.
#[derive(Serialize)]
struct Figures {
    projections: Vec<String>,
    events: u64,
    seconds: f64,
    events_per_second: f64,
}

impl Rebuild {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let names: Vec<&str> = self.projections.iter().map(String::as_str).collect();
        let Rebuilt { events, took } = rebuild_all(&client, &names).await?;
        let (seconds, events_per_second) = (took.as_secs_f64(), figures::per_second(events, took));
        if self.json {
            output::json(&Figures { projections: self.projections, events, seconds, events_per_second })?;
        } else {
            output::data(format_args!(
                "{}: {} events in {seconds:.1} s, {} events/s",
                self.projections.join(", "),
                figures::count(events),
                figures::rate(events_per_second),
            ))?;
        }
        Ok(())
    }
}

/// Rebuilds that were measured.
pub(super) struct Rebuilt {
    /// The events of the log.
    pub(super) events: u64,
    /// Until the last of them was live.
    pub(super) took: Duration,
}

/// Rebuilds projections, all at once; one that is named twice is rebuilt twice. The new builds are retired in the end.
pub(super) async fn rebuild_all(client: &Client, names: &[&str]) -> anyhow::Result<Rebuilt> {
    let began = Instant::now();
    let mut builds = Vec::new();
    for name in names {
        let query = RebuildQuery { version: None, activate: Activation::Manual };
        builds.push((name, operate(client, name, "rebuild", &query).await?.number()));
    }
    let mut events = 0;
    let mut failure = None;
    for (name, build) in &builds {
        match reach(client, name, *build, BuildState::Live).await {
            Ok(checkpoint) => events = checkpoint.max(events),
            Err(error) => failure = Some(error),
        }
    }
    let took = began.elapsed();
    for (name, build) in builds {
        retire(client, name, build).await?;
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Rebuilt { events, took }),
    }
}

/// Retires a build.
pub(super) async fn retire(client: &Client, name: &str, build: u64) -> anyhow::Result<()> {
    let path = ["v1", "projections", name, "builds", &build.to_string()];
    client.text(client.request(Method::DELETE, &path)).await?;
    Ok(())
}

/// Waits until a build is in a state, live or active; returns its checkpoint.
pub(super) async fn reach(client: &Client, name: &str, build: u64, state: BuildState) -> anyhow::Result<u64> {
    loop {
        let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
        let found = projection.builds.into_iter().find(|found| found.build == build);
        match found {
            Some(found) if found.state == state => return Ok(found.checkpoint),
            // A live one is about to become active, unless its error says why it cannot.
            Some(found)
                if found.state == BuildState::Replaying
                    || (found.state == BuildState::Live && found.error.is_none()) => {}
            Some(found) => {
                anyhow::bail!("build {build} of `{name}` is {}; `gnomon projections {name}` shows why", found.state)
            }
            None => anyhow::bail!("build {build} of `{name}` does not exist any more"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
