//! The history of a reactor.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{ReactorHistoryEntry, ReactorHistoryPage},
    cli::{
        history::{HistoryOptions, to_the_second},
        output,
    },
};

/// Show the history of a reactor: what changed, when and why, newest first.
#[derive(Args, Debug)]
pub(super) struct History {
    /// The reactor; a deleted one has a history as well
    #[arg(add = crate::cli::known_names::reactors())]
    reactor: String,

    #[command(flatten)]
    page: HistoryOptions,
}

impl History {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = ["v1", "reactors", &self.reactor, "history"];
        self.page.print(&path, |page: ReactorHistoryPage| (table(&page.history), page.next)).await
    }
}

fn table(entries: &[ReactorHistoryEntry]) -> Table {
    let mut table = output::table(&["AT", "#VERSION", "CHANGE", "BY", "CAUSE"]);
    for ReactorHistoryEntry { at, version, change, actor, cause, .. } in entries {
        let by = actor.clone().unwrap_or_default();
        table.add_row([to_the_second(*at), version.to_string(), change.replace('_', " "), by, cause.clone()]);
    }
    table
}
