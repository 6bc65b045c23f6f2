//! Builds as a table.

use comfy_table::Table;

use crate::{
    api::{Build, BuildState, Projection, RunningVerification},
    cli::{figures, output, progress::time_left},
};

/// A table with a line for each build and each verification.
pub(super) fn table<'p>(projections: impl IntoIterator<Item = &'p Projection>) -> Table {
    let mut table = output::table(&[
        "PROJECTION",
        "#BUILD",
        "#VERSION",
        "STATE",
        "#POSITION",
        "#HEAD",
        "#LAG",
        "#EVENTS/S",
        "#LEFT",
    ]);
    for projection in projections {
        for line in lines(projection) {
            table.add_row([
                projection.name.clone(),
                line.build.map(|build| build.to_string()).unwrap_or_default(),
                line.version.to_string(),
                line.state.clone(),
                figures::count(line.checkpoint).to_string(),
                figures::count(line.head).to_string(),
                line.lag.map(|lag| figures::count(lag).to_string()).unwrap_or_default(),
                figures::rate(line.events_per_second).to_string(),
                line.left().unwrap_or_default(),
            ]);
        }
    }
    table
}

/// What is shown of a build or of a verification.
pub(super) struct Line {
    /// `build 4 (version 2)`, `verification 1 of build 4 (version 2)`.
    pub(super) label: String,
    /// Its number, if it is not a verification.
    build: Option<u64>,
    version: u32,
    /// Its state, with what else the table has to say.
    pub(super) state: String,
    moves: bool,
    pub(super) checkpoint: u64,
    pub(super) head: u64,
    lag: Option<u64>,
    pub(super) events_per_second: f64,
    /// Why it stopped, if it did.
    pub(super) why_it_stopped: Option<String>,
}

/// A line for each verification and each build, newest first.
pub(super) fn lines(projection: &Projection) -> impl Iterator<Item = Line> {
    let name = &projection.name;
    let verifications = projection.verifications.iter().map(|verification| Line::of_verification(name, verification));
    verifications.chain(projection.builds.iter().map(|build| Line::of_build(projection, build)))
}

impl Line {
    fn of_build(projection: &Projection, build: &Build) -> Self {
        let Build { version, checkpoint, head, lag, events_per_second, .. } = *build;
        let state = match &build.state {
            state if projection.active_build == Some(build.build) && *state != BuildState::Active => {
                format!("{state} (queries read it)")
            }
            state => state.to_string(),
        };
        Self {
            label: build.label(),
            build: Some(build.build),
            version,
            state,
            moves: moves(&build.state),
            checkpoint,
            head,
            lag,
            events_per_second,
            why_it_stopped: build.why_it_stopped(&projection.name),
        }
    }

    fn of_verification(projection: &str, verification: &RunningVerification) -> Self {
        let RunningVerification { version, checkpoint, head, lag, events_per_second, .. } = *verification;
        let RunningVerification { verification: number, build, state, .. } = verification;
        Self {
            label: verification.label(),
            build: None,
            version,
            state: format!("{state} (verification {number} of build {build})"),
            moves: moves(state),
            checkpoint,
            head,
            lag,
            events_per_second,
            why_it_stopped: verification.why_it_stopped(projection),
        }
    }

    /// How long it takes to catch up; `None` if it has, or if it does not move.
    pub(super) fn left(&self) -> Option<String> {
        let lag = self.lag.filter(|lag| *lag > 0 && self.moves)?;
        time_left(lag, self.events_per_second).map(figures::time)
    }
}

fn moves(state: &BuildState) -> bool {
    matches!(state, BuildState::Replaying | BuildState::Live | BuildState::Active)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    #[test]
    fn a_table_has_a_line_for_each_build() {
        let members = |state: &str, checkpoint: u64| {
            json!({"state": state, "checkpoint": checkpoint, "head": 20_000, "lag": 20_000 - checkpoint,
                "events_per_second": 1000.4})
        };
        let build = |build: u64, state: &str, checkpoint: u64| {
            let mut members = members(state, checkpoint);
            members["build"] = json!(build);
            samples::build(members)
        };
        let builds = vec![build(4, "paused", 5_000), build(3, "active", 20_000)];
        let mut projection = samples::projection(Some(3), builds);
        projection.verifications = vec![samples::verification(members("replaying", 5_000))];
        insta::assert_snapshot!(table([&projection]).trim_fmt(), @r"
        PROJECTION  BUILD  VERSION  STATE                                  POSITION    HEAD     LAG  EVENTS/S    LEFT
        bank                     1  replaying (verification 1 of build 4)     5,000  20,000  15,000     1,000  15.0 s
        bank            4        1  paused                                    5,000  20,000  15,000     1,000
        bank            3        1  active                                   20,000  20,000       0     1,000
        ");
    }

    #[test]
    fn the_build_that_queries_read_is_seen_also_when_it_has_stopped() {
        let build = |build: u64| samples::build(json!({"build": build, "state": "halted"}));
        let projection = samples::projection(Some(3), vec![build(4), build(3)]);
        let states: Vec<String> = lines(&projection).map(|line| line.state).collect();
        assert_eq!(states, ["halted", "halted (queries read it)"]);
    }
}
