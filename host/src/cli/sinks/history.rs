//! The history of a sink.

use clap::Args;
use comfy_table::Table;

use crate::{
    api::{SinkHistoryEntry, SinkHistoryPage},
    cli::{
        history::{HistoryOptions, to_the_second},
        output,
    },
};

/// Show the history of a sink: what operators have changed of it and done to its messages, when and why, newest first.
#[derive(Args, Debug)]
pub(super) struct History {
    /// The sink; a removed one has a history as well
    sink: String,

    #[command(flatten)]
    page: HistoryOptions,
}

impl History {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = ["v1", "sinks", &self.sink, "history"];
        self.page.print(&path, |page: SinkHistoryPage| (table(&page.history), page.next)).await
    }
}

fn table(entries: &[SinkHistoryEntry]) -> Table {
    let mut table = output::table(&["AT", "MESSAGE", "CHANGE", "BY", "CAUSE"]);
    for SinkHistoryEntry { at, message, change, actor, cause, .. } in entries {
        let message = message.map(|id| id.to_string()).unwrap_or_default();
        let by = actor.clone().unwrap_or_default();
        table.add_row([to_the_second(*at), message, change.replace('_', " "), by, cause.clone()]);
    }
    table
}
