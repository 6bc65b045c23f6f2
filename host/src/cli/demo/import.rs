//! The events of the week.

use super::step::Steps;
use crate::cli::{
    client::Client,
    figures,
    import::{Source, import as import_source},
    sources::Sources,
};

/// The position up to which the log holds the week.
#[derive(Clone, Copy, Debug)]
pub(super) struct Week {
    pub(super) last_position: u64,
}

pub(super) async fn import(steps: &mut Steps, client: &Client, sources: &Sources) -> anyhow::Result<Week> {
    let step = steps.begin("importing events");
    let summary = import_source(client, Source::open(&sources.week())?, &step.progress).await?;
    let what = match (summary.imported, summary.repeated) {
        (imported, 0) => {
            format!("imported {} ({}/s)", figures::counted(imported, "event"), figures::rate(summary.events_per_second))
        }
        (imported, repeated) => {
            format!(
                "imported {}; {} were in the log already",
                figures::counted(imported, "event"),
                figures::count(repeated)
            )
        }
    };
    let more =
        "every flight that left New York from 1 to 7 January 2013: announced, departed, arrived, cancelled, diverted";
    step.done(what, &[more.to_owned()]);
    Ok(Week { last_position: summary.last_position.unwrap_or_default() })
}
