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
const EVERY: Duration = Duration::from_millis(50);

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
        let began = Instant::now();
        let mut builds = Vec::new();
        for name in &self.projections {
            let query = RebuildQuery { version: None, activate: Activation::Manual };
            builds.push((name, operate(&client, name, "rebuild", &query).await?.number()));
        }
        let mut events = 0;
        let mut failure = None;
        for (name, build) in &builds {
            match caught_up(&client, name, *build).await {
                Ok(checkpoint) => events = checkpoint.max(events),
                Err(error) => failure = Some(error),
            }
        }
        let took = began.elapsed();
        for (name, build) in builds {
            let path = ["v1", "projections", name, "builds", &build.to_string()];
            client.text(client.request(Method::DELETE, &path)).await?;
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
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

/// Waits until a build is live; returns its checkpoint.
async fn caught_up(client: &Client, name: &str, build: u64) -> anyhow::Result<u64> {
    loop {
        let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
        let found = projection.builds.into_iter().find(|found| found.build == build);
        match found {
            Some(found) if found.state == BuildState::Replaying => {}
            Some(found) if found.state == BuildState::Live => return Ok(found.checkpoint),
            Some(found) => {
                anyhow::bail!("build {build} of `{name}` is {}; `gnomon projections {name}` shows why", found.state)
            }
            None => anyhow::bail!("build {build} of `{name}` does not exist any more"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
