//! Waiting until queries see the week.

use std::time::Duration;

use anyhow::bail;

use super::{import::Week, step::Steps};
use crate::cli::{client::Client, deploy::Uploaded, figures, projection::Projection};

/// How often the host is asked.
const POLL: Duration = Duration::from_millis(100);

pub(super) async fn wait(steps: &mut Steps, client: &Client, uploads: &[Uploaded], week: Week) -> anyhow::Result<()> {
    let step = steps.begin("waiting for the read models");
    let mut tables = Vec::new();
    for uploaded in uploads {
        let name = uploaded.name.as_str();
        let projection = loop {
            let projection: Projection = client.json(client.get(&["v1", "projections", name])).await?;
            let Some(build) = uploaded.build.and_then(|build| projection.build(build)) else {
                bail!("the build of `{name}` is gone");
            };
            if let Some(why) = build.why_it_stopped(name) {
                bail!(why);
            }
            if build.state == "active" && build.checkpoint >= week.last_position {
                break projection;
            }
            let (checkpoint, head) = (figures::count(build.checkpoint), figures::count(build.head));
            let words = format!("{name} is {} at position {checkpoint} of {head}", build.state);
            step.progress.show(build.checkpoint, Some(build.head.max(1)), words);
            tokio::time::sleep(POLL).await;
        };
        tables.extend(projection.tables.iter().map(|table| format!("{name}/{table}")));
    }
    let what = format!("caught up: {} hold every event", figures::counted(tables.len() as u64, "table"));
    step.done(what, &[tables.join(", ")]);
    Ok(())
}
