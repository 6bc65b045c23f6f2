//! `gnomon projections --watch`

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, IsTerminal},
    ops::ControlFlow,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::RequestBuilder;

use super::{
    args::Projections,
    table::{self, Line, lines},
};
use crate::{
    api::Projection,
    cli::{
        client::Client,
        figures,
        output::{self, say},
        sse::{Listener, Message, listen},
    },
};

/// How often per second the table may be drawn.
const DRAWS: u8 = 10;
/// The table is drawn at least so often, so that the last of many quick changes is shown.
const REDRAW: Duration = Duration::from_millis(500);

/// Shows projections, and then their changes.
pub(super) async fn watch(client: &Client, asked: &Projections) -> anyhow::Result<()> {
    let shown = if asked.json {
        Shown::Json
    } else if io::stdout().is_terminal() {
        Shown::Table { drawn: drawing(), projections: BTreeMap::new() }
    } else {
        Shown::Lines { last: HashMap::new() }
    };
    listen(client, &mut Watch { client, asked, shown }).await
}

fn drawing() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(DRAWS));
    bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(REDRAW);
    bar
}

struct Watch<'w> {
    client: &'w Client,
    asked: &'w Projections,
    shown: Shown,
}

enum Shown {
    /// The host's JSON.
    Json,
    /// A table of the current state, drawn over the previous one.
    Table { drawn: ProgressBar, projections: BTreeMap<String, Projection> },
    /// A line for each build that has changed, with the last line of each by projection and label.
    Lines { last: HashMap<(String, String), String> },
}

impl Listener for Watch<'_> {
    fn request(&self, client: &Client) -> RequestBuilder {
        self.asked.request(client)
    }

    fn hear(&mut self, message: Message) -> anyhow::Result<ControlFlow<()>> {
        let Some(data) = message.data else { return Ok(ControlFlow::Continue(())) };
        if matches!(self.shown, Shown::Json) {
            output::data(data)?;
            return Ok(ControlFlow::Continue(()));
        }
        let projection: Projection = self.client.parse(&data)?;
        match &mut self.shown {
            Shown::Json => {}
            Shown::Table { drawn, projections } => {
                projections.insert(projection.name.clone(), projection);
                drawn.set_message(screen(projections));
            }
            Shown::Lines { last } => {
                let mut builds: Vec<Line> = lines(&projection).collect();
                builds.reverse();
                for build in builds {
                    let line = line(&projection.name, &build);
                    let key = (projection.name.clone(), build.label);
                    if last.get(&key) != Some(&line) {
                        output::data(&line)?;
                        last.insert(key, line);
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn pause(&mut self, message: &str) {
        match &self.shown {
            Shown::Table { drawn, .. } => drawn.suspend(|| say(message)),
            _ => say(message),
        }
    }
}

/// The table, and below it why builds stopped.
fn screen(projections: &BTreeMap<String, Projection>) -> String {
    let mut screen = table::table(projections.values()).trim_fmt();
    for projection in projections.values() {
        for why in lines(projection).filter_map(|line| line.why_it_stopped) {
            screen += &format!("\n\n{why}");
        }
    }
    screen
}

/// The progress of a build, in one line.
fn line(projection: &str, build: &Line) -> String {
    let (checkpoint, head) = (figures::count(build.checkpoint), figures::count(build.head));
    let mut line = format!("{projection} {}: {} at {checkpoint} of {head}", build.label, build.state);
    if build.events_per_second.round() > 0.0 {
        line += &format!(", {} events/s", figures::rate(build.events_per_second));
    }
    if let Some(left) = build.left() {
        line += &format!(", {left} left");
    }
    if let Some(why) = &build.why_it_stopped {
        line += &format!("\n{why}");
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    fn projection(state: &str, error: serde_json::Value) -> Projection {
        let build = json!({"build": 5, "version": 2, "state": state, "checkpoint": 5_000, "head": 20_000, "lag": 15_000,
            "events_per_second": 1000.4, "error": error});
        samples::projection(None, vec![samples::build(build)])
    }

    #[test]
    fn a_line_has_the_progress_of_a_build_and_why_it_stopped() {
        let line = |projection: Projection| line("bank", &lines(&projection).next().unwrap());
        let going = line(projection("replaying", json!(null)));
        assert_eq!(going, "bank build 5 (version 2): replaying at 5,000 of 20,000, 1,000 events/s, 15.0 s left");
        let stopped = line(projection("failed", json!({"reason": "host", "message": "the disk is full"})));
        assert!(stopped.ends_with("events/s\nbuild 5 of `bank` (version 2) failed: the disk is full"), "{stopped}");
    }

    #[test]
    fn why_a_build_stopped_is_below_the_table() {
        let projections = BTreeMap::from_iter([(
            "bank".to_owned(),
            projection("failed", json!({"reason": "host", "message": "the disk is full"})),
        )]);
        insta::assert_snapshot!(screen(&projections), @r"
        PROJECTION  BUILD  VERSION  STATE   POSITION    HEAD     LAG  EVENTS/S  LEFT
        bank            5        2  failed     5,000  20,000  15,000     1,000

        build 5 of `bank` (version 2) failed: the disk is full
        ");
    }
}
