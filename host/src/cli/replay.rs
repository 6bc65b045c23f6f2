//! `gnomon replay`

use std::fmt::Write as _;

use anyhow::bail;
use clap::Args;

use super::{
    client::{Client, ClientError},
    explain::{cut, failure},
    figures, output,
    stream_name::stream_name,
};
use crate::{
    api::{
        After, EventStatus, HistoryEvent, Logic, Projections, Row, RowEffect, StreamHistory, StreamHistoryQuery,
        StreamState, StreamStateQuery,
    },
    config::ClientOptions,
};

/// Replay a stream: show event by event which rows of a projection it changed, and then the rows that are left.
///
/// The host folds the events again, in memory; no build is asked, and nothing is changed. The projection must be partitioned by stream. With
/// `--version`, the past is told by another version of the projection, also by one whose builds are retired.
#[derive(Args, Debug)]
// It has an option --version of its own.
#[command(disable_version_flag = true)]
pub(super) struct Replay {
    /// The stream
    #[arg(value_parser = stream_name)]
    stream: String,

    /// The projection [default: the only one]
    #[arg(long, add = crate::cli::known_names::projections())]
    projection: Option<String>,

    /// The version of the projection that tells [default: that of the active build]
    #[arg(long = "version", value_name = "NUMBER")]
    wanted: Option<u32>,

    /// Stop behind the event of this version of the stream [default: the newest]
    #[arg(long, value_name = "VERSION")]
    at: Option<u64>,

    /// Begin behind the event of this version of the stream
    #[arg(long, value_name = "VERSION", default_value_t = 0)]
    after: u64,

    /// Print each event with what it changed as a line of JSON, and no rows
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

impl Replay {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let projection = match &self.projection {
            Some(projection) => projection.clone(),
            None => only_projection(&client).await?,
        };
        // First, so that what is refused is refused before anything is shown.
        let state = match self.state(&client, &projection).await {
            Err(ClientError::Refused(problem)) if problem.code() == CANNOT_BE_HANDLED => {
                Err(ClientError::Refused(problem))
            }
            state => Ok(state?),
        };
        // Where an event cannot be handled, the others are shown as well, and that is said in the end.
        let end = state.as_ref().map_or(self.at.unwrap_or(u64::MAX), |state| state.version);
        let mut after = self.after;
        let mut is_first = true;
        while after < end {
            let page = self.page(&client, &projection, after).await?;
            if std::mem::take(&mut is_first) && !self.json {
                output::say(told_by(&page.logic));
            }
            for event in page.events.iter().take_while(|event| event.event.version <= end) {
                if self.json {
                    output::json(event)?;
                } else {
                    output::data(describe(event).trim_end())?;
                }
            }
            match page.events.last().map(|last| last.event.version) {
                Some(last) if last < page.newest_version => after = last,
                _ => break,
            }
        }
        let state = state?;
        if !self.json {
            output::data(describe_rows(&state).trim_end())?;
        }
        Ok(())
    }

    async fn page(&self, client: &Client, projection: &str, after: u64) -> anyhow::Result<StreamHistory> {
        let query = StreamHistoryQuery {
            projection: projection.to_owned(),
            version: self.wanted,
            after: Some(After::Number(after)),
            ..StreamHistoryQuery::default()
        };
        Ok(client.json(client.get(&["v1", "streams", &self.stream, "history"]).query(&query)).await?)
    }

    async fn state(&self, client: &Client, projection: &str) -> Result<StreamState, ClientError> {
        let query = StreamStateQuery {
            projection: projection.to_owned(),
            version: self.wanted,
            at_version: self.at,
            at_time: None,
        };
        client.json(client.get(&["v1", "streams", &self.stream, "state"]).query(&query)).await
    }
}

/// The code of the problem that an event of the stream cannot be handled.
const CANNOT_BE_HANDLED: &str = "fold_failed";

/// The projection, if there is no other.
async fn only_projection(client: &Client) -> anyhow::Result<String> {
    let Projections { projections } = client.json(client.get(&["v1", "projections"])).await?;
    let names: Vec<String> = projections.into_iter().map(|projection| projection.name).collect();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!("there is no projection; deploy one with `gnomon deploy`"),
        names => bail!("which projection? Name one with --projection: {}", names.join(", ")),
    }
}

fn told_by(Logic { projection, version, upcasters, build }: &Logic) -> String {
    let upcasters: Vec<String> =
        upcasters.iter().map(|upcaster| format!(", {} {}", upcaster.name, upcaster.version)).collect();
    let build = build.map_or_else(String::new, |build| format!(" (build {build})"));
    format!("told by {projection} version {version}{}{build}", upcasters.concat())
}

fn describe(HistoryEvent { event, status, failure: failed, changes, more_changes, .. }: &HistoryEvent) -> String {
    let mut text = format!("{} {} {} {}\n", event.version, event.event_type, event.recorded_at, cut(event.data.get()));
    let words = match status {
        EventStatus::Handled if changes.is_empty() => "changes no row",
        EventStatus::Handled => "",
        EventStatus::PassedOver => "is not read by the projection",
        EventStatus::StoppedAt => "cannot be handled; nothing behind it is folded",
        EventStatus::SetAside => "is set aside, since it cannot be handled",
        EventStatus::Waits => "is set aside, since an earlier event of its stream is",
        EventStatus::ToCome => "is not folded, since an event before it cannot be handled",
        EventStatus::Other(other) => other,
    };
    if !words.is_empty() {
        let _ = writeln!(text, "    {words}");
    }
    if let Some(failed) = failed {
        let _ = writeln!(text, "    {}", failure(failed));
    }
    for change in changes {
        describe_change(&mut text, change);
    }
    if *more_changes > 0 {
        let _ = writeln!(text, "    and {}", figures::counted(*more_changes, "more row"));
    }
    text
}

fn describe_change(text: &mut String, RowEffect { table, before, after, columns }: &RowEffect) {
    let line = match (before, after) {
        (Some(before), Some(after)) => {
            let cells = columns.iter().map(|column| {
                let [before, after] = [before, after].map(|row| cell(row, column));
                format!("{column} {before} → {after}")
            });
            format!("~ {}", cells.collect::<Vec<_>>().join(", "))
        }
        (None, Some(after)) => format!("+ {}", cut(after.0.get())),
        (Some(before), None) => format!("- {}", cut(before.0.get())),
        (None, None) => return,
    };
    let _ = writeln!(text, "    {table} {line}");
}

fn cell(row: &Row, column: &str) -> String {
    let cells = row.cells().unwrap_or_default();
    let found = cells.into_iter().find(|(name, _)| name == column);
    found.map_or_else(String::new, |(_, value)| cut(&value.to_string()))
}

fn describe_rows(state: &StreamState) -> String {
    let mut text = match state.version {
        0 => "before the first event\n".to_owned(),
        version => format!("after version {version}\n"),
    };
    for (table, rows) in &state.tables {
        if rows.is_empty() {
            let _ = writeln!(text, "    {table} has no row");
        }
        for row in rows {
            let _ = writeln!(text, "    {table} {}", cut(row.0.get()));
        }
    }
    if state.events_left_out > 0 {
        let _ = writeln!(text, "    without {}", figures::counted(state.events_left_out, "event that is set aside"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#""event":{"position":7,"stream":"account-1","version":2,"id":"0190f3c2-0000-7000-8000-000000000001",
        "type":"Deposited","schema_version":1,"time":"2013-01-01T10:17:00Z","recorded_at":"2013-01-01T10:17:00Z","data":{"amount":50}}"#;

    fn said(members: &str) -> String {
        let event = format!(r#"{{{EVENT},"passed_over":null,{members}}}"#);
        describe(&serde_json::from_str(&event).unwrap())
    }

    #[test]
    fn what_an_event_changed_is_shown_by_column() {
        insta::assert_snapshot!(said(r#""status":"handled","failure":null,"more_changes":2,"changes":[
            {"table":"accounts","before":{"id":"1","balance":0,"n":1},"after":{"id":"1","balance":50,"n":2},"columns":["balance","n"]},
            {"table":"daily","before":null,"after":{"day":"2013-01-01"},"columns":["day"]},
            {"table":"open","before":{"id":"1"},"after":null,"columns":["id"]}]"#), @r#"
        2 Deposited 2013-01-01T10:17:00Z {"amount":50}
            accounts ~ balance 0 → 50, n 1 → 2
            daily + {"day":"2013-01-01"}
            open - {"id":"1"}
            and 2 more rows
        "#);
    }

    #[test]
    fn each_status_has_its_words() {
        for (status, words) in [
            ("handled", "changes no row"),
            ("passed_over", "is not read by the projection"),
            ("waits", "is set aside, since an earlier event of its stream is"),
            ("to_come", "is not folded, since an event before it cannot be handled"),
            ("lost", "lost"),
        ] {
            let said = said(&format!(r#""status":"{status}","failure":null,"more_changes":0,"changes":[]"#));
            assert_eq!(said, format!("2 Deposited 2013-01-01T10:17:00Z {{\"amount\":50}}\n    {words}\n"));
        }
        let failed = said(
            r#""status":"stopped_at","more_changes":0,"changes":[],"failure":{"position":7,"kind":"refused","message":"no account","backtrace":[]}"#,
        );
        assert!(
            failed.ends_with("    cannot be handled; nothing behind it is folded\n    refused: no account\n"),
            "{failed}"
        );
    }

    #[test]
    fn the_rows_that_are_left_are_shown() {
        let state = |version: u64, rows: &str, left_out: u64| {
            let logic = r#"{"projection":"bank","version":2,"upcasters":[{"name":"up","version":3}],"build":4}"#;
            let state: StreamState = serde_json::from_str(&format!(
                r#"{{"stream":"a-1","version":{version},"position":null,"recorded_at":null,"newest_version":9,"logic":{logic},
                    "events_left_out":{left_out},"snapshot":0,"events_folded":9,"tables":{{"accounts":[{rows}]}}}}"#
            ))
            .unwrap();
            assert_eq!(told_by(&state.logic), "told by bank version 2, up 3 (build 4)");
            describe_rows(&state)
        };
        assert_eq!(state(0, "", 0), "before the first event\n    accounts has no row\n");
        let one = "after version 3\n    accounts {\"id\":1}\n    without 1 event that is set aside\n";
        assert_eq!(state(3, r#"{"id":1}"#, 1), one);
    }
}
