//! `gnomon explain`

use std::{fmt::Write as _, time::Duration};

use clap::Args;

use super::{client::Client, figures, output};
use crate::{
    api::{
        EventStatus, ExplainQuery, ExplainedBuild, Explanation, Fold, FoldedOver, ModuleFailure, PassedOver, Row,
        RowChange, UpcastedEvent,
    },
    config::ClientOptions,
};

/// Explain what became of an event: which builds want it, and if not, why; what the upcasters made of it; which rows it changed, and
/// how long that took.
///
/// For the rows, the host folds the event again, in an instance of its own, and changes nothing. An event that a build has not come to is
/// folded over its present rows. For one that it has handled, the events before it are folded again in memory: those of its stream if the
/// projection is partitioned by stream, else all that the build reads. Where those are too many, it says so.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The event's position
    position: u64,

    /// Only the builds of this projection
    #[arg(long, add = crate::cli::known_names::projections())]
    projection: Option<String>,

    /// Do not fold the event again
    #[arg(long)]
    no_fold: bool,

    /// Print the host's answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    client: ClientOptions,
}

/// Characters of data and of rows that are shown in a line.
const SHOWN: usize = 200;

impl Explain {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = Client::new(&self.client)?;
        let query = ExplainQuery { projection: self.projection, fold: !self.no_fold };
        let position = self.position.to_string();
        let body = client.text(client.get(&["v1", "events", &position, "explanation"]).query(&query)).await?;
        if self.json {
            output::data(&body)?;
            return Ok(());
        }
        let explanation: Explanation = client.parse(&body)?;
        output::data(describe(&explanation).trim_end())?;
        if explanation.builds.is_empty() {
            output::say("there is no build that could want it");
        }
        if explanation.more_builds > 0 {
            let more = figures::counted(explanation.more_builds, "more build");
            output::say(format_args!("{more}: name a projection with --projection"));
        }
        Ok(())
    }
}

fn describe(explanation: &Explanation) -> String {
    let Explanation { event, builds, .. } = explanation;
    let mut text = format!(
        "position {}: {} {} of stream {}, version {}, recorded {}\n",
        event.position, event.event_type, event.schema_version, event.stream, event.version, event.recorded_at
    );
    let _ = writeln!(text, "  data      {}", cut(event.data.get()));
    if let Some(metadata) = &event.metadata {
        let _ = writeln!(text, "  metadata  {}", cut(metadata.get()));
    }
    if !event.tags.is_empty() {
        let _ = writeln!(text, "  tags      {}", event.tags.join(", "));
    }
    for build in builds {
        text.push('\n');
        describe_build(&mut text, build);
    }
    text
}

fn describe_build(text: &mut String, explained: &ExplainedBuild) {
    let name = match (explained.build, explained.verification) {
        (Some(build), _) => format!("build {build}"),
        (None, Some(verification)) => format!("verification {verification}"),
        (None, None) => "a build".to_owned(),
    };
    let ExplainedBuild { projection, version, state, checkpoint, .. } = explained;
    let _ = writeln!(
        text,
        "{projection} {name} (version {version}, {state}, checkpoint {checkpoint}): {}",
        status(explained)
    );
    if let Some(error) = explained.dead_letter.as_ref().and_then(|letter| letter.error.as_ref()) {
        let _ = writeln!(text, "  failed    {}", failure(error));
    }
    if let Some(upcasted) = &explained.upcasted {
        describe_upcasted(text, upcasted);
    }
    match (&explained.fold, &explained.not_folded) {
        (Some(fold), _) => describe_fold(text, fold),
        (None, Some(reason)) => _ = writeln!(text, "  rows      not shown: {reason}"),
        (None, None) => {}
    }
}

fn status(explained: &ExplainedBuild) -> String {
    let reason = explained.passed_over.as_ref();
    match &explained.status {
        EventStatus::PassedOver => match reason {
            Some(PassedOver::Type) => "passes over it, since it reads no events of this type".to_owned(),
            Some(PassedOver::Category) => "passes over it, since it reads no streams of this category".to_owned(),
            Some(PassedOver::Tags) => "passes over it, since it has none of the tags that it reads".to_owned(),
            Some(PassedOver::Upcasters) => {
                "passes over it, since the upcasters make no event of it that it reads".to_owned()
            }
            Some(PassedOver::Other(other)) => format!("passes over it ({other})"),
            None => "passes over it".to_owned(),
        },
        EventStatus::Handled => "has handled it".to_owned(),
        EventStatus::ToCome => "wants it, and has not come to it".to_owned(),
        EventStatus::StoppedAt => "has stopped at it".to_owned(),
        EventStatus::SetAside => "has set it aside, since its module cannot handle it".to_owned(),
        EventStatus::Waits => "has set it aside, since an earlier event of its stream is".to_owned(),
        EventStatus::Other(other) => other.clone(),
    }
}

fn describe_upcasted(text: &mut String, UpcastedEvent { events, failure: failed, seconds }: &UpcastedEvent) {
    if let Some(failed) = failed {
        let _ = writeln!(text, "  upcast    {}", failure(failed));
        return;
    }
    let made = figures::counted(events.len() as u64, "event");
    let _ = writeln!(text, "  upcast    to {made} in {}", duration(*seconds));
    for event in events {
        let _ = writeln!(text, "            {} {}: {}", event.event_type, event.schema_version, cut(event.data.get()));
    }
}

fn describe_fold(text: &mut String, fold: &Fold) {
    let before = figures::counted(fold.events_before, "event");
    let over = match &fold.over {
        FoldedOver::Stream => format!("over a replay of the {before} of its stream before it"),
        FoldedOver::Log => format!("over a replay of all {before} before it that the build reads"),
        FoldedOver::Rows => {
            let checkpoint = fold.checkpoint.map_or_else(String::new, |at| format!(" of checkpoint {at}"));
            format!("over the rows{checkpoint} and the {before} between")
        }
        FoldedOver::Other(other) => format!("over {other}"),
    };
    let took = duration(fold.seconds);
    if let Some(failed) = &fold.failure {
        let _ = writeln!(text, "  fails     in {took}, {over}: {}", failure(failed));
        return;
    }
    let changes = fold.changes.len() as u64 + fold.more_changes;
    let rows = if changes == 0 { "no row".to_owned() } else { figures::counted(changes, "row") };
    let _ = writeln!(text, "  changes   {rows} in {took}, {over}");
    for RowChange { table, before, after } in &fold.changes {
        let line = match (before, after) {
            (None, Some(after)) => format!("+ {}", row(after)),
            (Some(before), None) => format!("- {}", row(before)),
            (Some(before), Some(after)) => {
                format!("~ {}\n            {:width$} → {}", row(before), "", row(after), width = table.len())
            }
            (None, None) => "nothing".to_owned(),
        };
        let _ = writeln!(text, "            {table} {line}");
    }
    if fold.more_changes > 0 {
        let _ = writeln!(text, "            and {} more", figures::count(fold.more_changes));
    }
}

pub(super) fn failure(failure: &ModuleFailure) -> String {
    let upcaster = failure.upcaster.as_ref();
    let whose = upcaster
        .map_or_else(String::new, |upcaster| format!("upcaster {} version {}: ", upcaster.name, upcaster.version));
    let at = failure.backtrace.iter().find_map(|frame| Some(format!(" ({}:{})", frame.file.as_deref()?, frame.line?)));
    format!("{whose}{}: {}{}", failure.kind, cut(failure.message.trim()), at.unwrap_or_default())
}

fn row(row: &Row) -> String {
    cut(row.0.get())
}

/// The beginning of a text, in one line. JSON may have control characters beyond the ASCII ones, which a terminal would obey.
pub(super) fn cut(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ").replace(char::is_control, "\u{fffd}");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A short time: `35 µs`, `1.2 ms`, `0.4 s`.
fn duration(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    match time.as_micros() {
        micros @ 0..1000 => format!("{micros} µs"),
        micros @ 1000..1_000_000 => format!("{:.1} ms", micros as f64 / 1000.0),
        _ => figures::time(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_an_event_is_told_in_words() {
        let explanation: Explanation = serde_json::from_str(
            r#"{"head":9,"more_builds":0,"event":{"position":7,"stream":"account-1","version":2,"id":"0190f3c2-0000-7000-8000-000000000001",
                "type":"Deposited","schema_version":1,"time":"2013-01-01T10:17:00Z","recorded_at":"2013-01-01T10:17:00Z","tags":["a:1"],
                "data":{"amount":  50}},"builds":[
                {"projection":"audit","build":1,"verification":null,"version":1,"state":"active","checkpoint":9,"status":"passed_over",
                 "passed_over":"category","dead_letter":null,"upcasters":[],"upcasted":null,"fold":null,"not_folded":null},
                {"projection":"bank","build":3,"verification":null,"version":2,"state":"halted","checkpoint":6,"status":"stopped_at",
                 "passed_over":null,"dead_letter":null,"upcasters":[{"name":"up","version":1}],
                 "upcasted":{"seconds":0.0012,"failure":null,"events":[{"position":7,"part":0,"stream":"account-1","version":2,
                   "id":"0190f3c2-0000-7000-8000-000000000001","type":"Deposited","schema_version":2,"time":"2013-01-01T10:17:00Z",
                   "recorded_at":"2013-01-01T10:17:00Z","data":{"cents":5000}}]},
                 "fold":{"over":"rows","checkpoint":6,"events_before":0,"seconds":0.000035,"changes":[],"more_changes":0,
                   "failure":{"position":7,"upcaster":null,"kind":"refused","message":"no account","backtrace":[]}},"not_folded":null},
                {"projection":"bank","build":2,"verification":null,"version":1,"state":"active","checkpoint":9,"status":"handled",
                 "passed_over":null,"dead_letter":null,"upcasters":[],"upcasted":null,"not_folded":null,
                 "fold":{"over":"stream","checkpoint":null,"events_before":1,"seconds":0.000035,"more_changes":3,"failure":null,"changes":[
                   {"table":"accounts","before":{"id":"1","balance":0},"after":{"id":"1","balance":50}},
                   {"table":"daily","before":null,"after":{"day":"2013-01-01"}}]}},
                {"projection":"bank","build":null,"verification":1,"version":1,"state":"replaying","checkpoint":6,"status":"to_come",
                 "passed_over":null,"dead_letter":null,"upcasters":[],"upcasted":null,"fold":null,"not_folded":"the time for it was over"}]}"#,
        )
        .unwrap();
        insta::assert_snapshot!(describe(&explanation), @r#"
        position 7: Deposited 1 of stream account-1, version 2, recorded 2013-01-01T10:17:00Z
          data      {"amount": 50}
          tags      a:1

        audit build 1 (version 1, active, checkpoint 9): passes over it, since it reads no streams of this category

        bank build 3 (version 2, halted, checkpoint 6): has stopped at it
          upcast    to 1 event in 1.2 ms
                    Deposited 2: {"cents":5000}
          fails     in 35 µs, over the rows of checkpoint 6 and the 0 events between: refused: no account

        bank build 2 (version 1, active, checkpoint 9): has handled it
          changes   5 rows in 35 µs, over a replay of the 1 event of its stream before it
                    accounts ~ {"id":"1","balance":0}
                             → {"id":"1","balance":50}
                    daily + {"day":"2013-01-01"}
                    and 3 more

        bank verification 1 (version 1, replaying, checkpoint 6): wants it, and has not come to it
          rows      not shown: the time for it was over
        "#);
    }

    #[test]
    fn what_an_event_has_moves_no_cursor() {
        assert_eq!(cut("{\"a\":\n \"\u{9b}2J\u{7f}\"}"), "{\"a\": \"\u{fffd}2J\u{fffd}\"}");
        assert_eq!(cut(&"é".repeat(SHOWN + 1)), "é".repeat(SHOWN) + "…");
    }

    /// What is said of the event in a build that has this of it.
    fn said(members: &str) -> String {
        let build = format!(
            r#"{{"projection":"bank","build":1,"verification":null,"version":1,"state":"active","checkpoint":9,"upcasters":[],{members}}}"#
        );
        let mut missing: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&build).unwrap();
        for member in ["passed_over", "dead_letter", "upcasted", "fold", "not_folded"] {
            missing.entry(member).or_insert(serde_json::Value::Null);
        }
        let mut text = String::new();
        describe_build(&mut text, &serde_json::from_value(missing.into()).unwrap());
        text.strip_prefix("bank build 1 (version 1, active, checkpoint 9): ").unwrap().to_owned()
    }

    #[test]
    fn each_status_has_its_words() {
        for (members, words) in [
            (r#""status":"passed_over","passed_over":"type""#, "passes over it, since it reads no events of this type"),
            (
                r#""status":"passed_over","passed_over":"tags""#,
                "passes over it, since it has none of the tags that it reads",
            ),
            (
                r#""status":"passed_over","passed_over":"upcasters""#,
                "passes over it, since the upcasters make no event of it that it reads",
            ),
            // Of a host of a later version.
            (r#""status":"passed_over","passed_over":"moon""#, "passes over it (moon)"),
            (r#""status":"passed_over""#, "passes over it"),
            (r#""status":"waits""#, "has set it aside, since an earlier event of its stream is"),
            (r#""status":"lost""#, "lost"),
        ] {
            assert_eq!(said(members), format!("{words}\n"), "{members}");
        }
    }

    #[test]
    fn why_an_event_is_set_aside_and_how_an_upcaster_fails_is_told() {
        let failure = |upcaster: &str, backtrace: &str| {
            format!(
                r#"{{"position":7,"upcaster":{upcaster},"kind":"trapped","message":"no\n  cents","backtrace":[{backtrace}]}}"#
            )
        };
        let frames = r#"{"function":"a","file":null,"line":null},{"function":"b","file":"src/lib.rs","line":7}"#;
        let letter = format!(
            r#""status":"set_aside","dead_letter":{{"position":7,"stream":"a-1","event_type":"A","parked":false,"set_aside_at":"2013-01-01T10:17:00Z","error":{}}}"#,
            failure("null", frames)
        );
        assert_eq!(
            said(&letter),
            "has set it aside, since its module cannot handle it\n  failed    trapped: no cents (src/lib.rs:7)\n"
        );
        let upcast = format!(
            r#""status":"stopped_at","upcasted":{{"seconds":0.001,"events":[],"failure":{}}}"#,
            failure(r#"{"name":"up","version":2}"#, "")
        );
        assert_eq!(said(&upcast), "has stopped at it\n  upcast    upcaster up version 2: trapped: no cents\n");
    }

    #[test]
    fn rows_that_go_and_rows_that_stay_are_told() {
        let fold = |changes: &str| {
            said(&format!(
                r#""status":"handled","fold":{{"over":"log","checkpoint":null,"events_before":2,"seconds":2.5,"more_changes":0,
                   "failure":null,"changes":[{changes}]}}"#
            ))
        };
        assert_eq!(
            fold(r#"{"table":"accounts","before":{"id":"1"},"after":null}"#),
            "has handled it\n  changes   1 row in 2.5 s, over a replay of all 2 events before it that the build reads\n            \
             accounts - {\"id\":\"1\"}\n"
        );
        assert!(fold("").contains("  changes   no row in 2.5 s, over"), "{}", fold(""));
    }

    #[test]
    fn long_texts_and_short_times_fit_a_line() {
        assert_eq!(cut("a\n  b"), "a b");
        assert_eq!(cut(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        assert_eq!(cut(&"é".repeat(SHOWN + 1)), "é".repeat(SHOWN) + "…");
        let times = [0.000_035, 0.000_999, 0.001, 0.25, 1.0, 125.0].map(duration);
        assert_eq!(times, ["35 µs", "999 µs", "1.0 ms", "250.0 ms", "1.0 s", "2 min 5 s"]);
    }
}
