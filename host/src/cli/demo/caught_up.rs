//! Waiting until the read models hold the week.

use std::time::Duration;

use anyhow::bail;

use super::{
    import::Week,
    step::{Step, Steps},
};
use crate::{
    api::{BuildState, Projection},
    cli::{client::Client, deploy::Upload, figures},
};

/// How often the state of a build is read.
const POLL: Duration = Duration::from_millis(100);

/// Waits until a build is in a state and holds every event up to a position.
pub(super) async fn until(
    step: &Step,
    client: &Client,
    name: &str,
    build: u64,
    state: BuildState,
    position: u64,
) -> anyhow::Result<Projection> {
    loop {
        let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
        let Some(build) = projection.build(build) else { bail!("the build of `{name}` does not exist any more") };
        if let Some(why) = build.why_it_stopped(name) {
            bail!(why);
        }
        // An active build has been live before.
        if (build.state == state || build.state == BuildState::Active) && build.checkpoint >= position {
            return Ok(projection);
        }
        let (checkpoint, head) = (figures::count(build.checkpoint), figures::count(build.head));
        let progress = format!("{name} is {} at position {checkpoint} of {head}", build.state);
        step.progress.show(build.checkpoint, Some(build.head.max(1)), progress);
        tokio::time::sleep(POLL).await;
    }
}

pub(super) async fn wait(steps: &mut Steps, client: &Client, uploads: &[Upload], week: Week) -> anyhow::Result<()> {
    let step = steps.begin("waiting for the read models");
    let mut tables = Vec::new();
    for Upload { uploaded, .. } in uploads {
        // An upcaster has no build.
        let Some(build) = uploaded.build else { continue };
        let name = uploaded.name.as_str();
        let projection = until(&step, client, name, build, BuildState::Active, week.last_position).await?;
        tables.extend(projection.tables.iter().map(|table| format!("{name}/{table}")));
    }
    let what = format!("caught up: {} hold every event", figures::counted(tables.len() as u64, "table"));
    step.done(what, &[tables.join(", ")]);
    Ok(())
}
