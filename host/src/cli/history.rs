//! `gnomon history`

use clap::Args;
use comfy_table::Table;
use gnomon_values::Instant;
use serde::de::DeserializeOwned;

use super::{client::Client, output};
use crate::{
    api::{HistoryEntry, HistoryPage, HistoryQuery},
    config::ClientOptions,
};

/// Show the history of a projection and its builds: what changed, when and why, newest first.
#[derive(Args, Debug)]
pub(super) struct History {
    /// The projection; a deleted one has a history as well
    #[arg(add = crate::cli::known_names::projections())]
    projection: String,

    #[command(flatten)]
    page: HistoryOptions,
}

/// Which part of a history is listed, and how.
#[derive(Args, Debug)]
pub(super) struct HistoryOptions {
    /// List entries that are older than this one
    #[arg(long, value_name = "ENTRY")]
    after: Option<i64>,

    /// How many entries to list
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl History {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = ["v1", "projections", &self.projection, "history"];
        self.page.print(&path, |page: HistoryPage| (table(&page.history), page.next)).await
    }
}

impl HistoryOptions {
    /// Prints a page of the history at a path. `table` makes the table of it, and says where the next page begins.
    pub(super) async fn print<P: DeserializeOwned>(
        self,
        path: &[&str],
        table: impl FnOnce(P) -> (Table, Option<i64>),
    ) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = HistoryQuery { after: self.after, limit: self.limit };
        let body = client.text(client.get(path).query(&query)).await?;
        let (table, next) = table(client.parse(&body)?);
        if self.json {
            output::data(&body)?;
        } else {
            output::print_table(&table)?;
        }
        output::say_more(next);
        Ok(())
    }
}

fn table(entries: &[HistoryEntry]) -> Table {
    let mut table = output::table(&["AT", "#BUILD", "CHANGE", "BY", "CAUSE"]);
    for HistoryEntry { at, build, verification, change, cause, actor, .. } in entries {
        let build = match (build, verification) {
            (Some(build), _) => build.to_string(),
            (None, Some(verification)) => format!("verification {verification}"),
            (None, None) => String::new(),
        };
        let by = actor.clone().unwrap_or_default();
        table.add_row([to_the_second(*at), build, change.replace('_', " "), by, cause.clone()]);
    }
    table
}

/// An instant without fractions of a second.
pub(super) fn to_the_second(at: Instant) -> String {
    at.to_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_a_table() {
        let page: HistoryPage = serde_json::from_str(
            r#"{"history":[
                {"entry":9,"at":"2026-01-02T03:04:05.678901Z","build":null,"change":"configured","actor":"token ci","cause":"on_failure was set to park"},
                {"entry":8,"at":"2026-01-02T03:04:04.5Z","build":null,"verification":1,"change":"retired","cause":"the verification has ended"},
                {"entry":7,"at":"2026-01-02T03:04:04Z","build":12,"change":"caught_up","cause":"it holds every event up to position 5"}],
                "next":7}"#,
        )
        .unwrap();
        insta::assert_snapshot!(table(&page.history).trim_fmt(), @r"
        AT                             BUILD  CHANGE      BY        CAUSE
        2026-01-02T03:04:05Z                  configured  token ci  on_failure was set to park
        2026-01-02T03:04:04Z  verification 1  retired               the verification has ended
        2026-01-02T03:04:04Z              12  caught up             it holds every event up to position 5
        ");
    }
}
