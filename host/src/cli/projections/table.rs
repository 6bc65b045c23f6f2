//! Builds as a table.

use comfy_table::Table;

use crate::{
    api::{Build, BuildState, Projection},
    cli::{figures, output, progress::time_left},
};

/// The builds that a table shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuildFilter {
    All,
    /// Builds that are not retired.
    WithTables,
}

/// A table with a line for each build.
pub(super) fn table<'p>(projections: impl IntoIterator<Item = &'p Projection>, filter: BuildFilter) -> Table {
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
        for build in
            projection.builds.iter().filter(|build| filter == BuildFilter::All || build.state != BuildState::Retired)
        {
            table.add_row([
                projection.name.clone(),
                build.build.to_string(),
                build.version.to_string(),
                state(build),
                figures::count(build.checkpoint).to_string(),
                figures::count(build.head).to_string(),
                build.lag.map(|lag| figures::count(lag).to_string()).unwrap_or_default(),
                figures::rate(build.events_per_second).to_string(),
                left(build).unwrap_or_default(),
            ]);
        }
    }
    table
}

/// The state of a build, and whether it only verifies another one.
pub(super) fn state(build: &Build) -> String {
    if build.verifies() { format!("{} (verifies)", build.state) } else { build.state.to_string() }
}

/// How long a build takes to catch up; `None` if it has, or if it does not move.
pub(super) fn left(build: &Build) -> Option<String> {
    let moves = matches!(build.state, BuildState::Replaying | BuildState::Live | BuildState::Active);
    let lag = build.lag.filter(|lag| *lag > 0 && moves)?;
    time_left(lag, build.events_per_second).map(figures::time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::projection::samples;

    #[test]
    fn a_table_has_a_line_for_each_build() {
        let build = |build: u64, state: &str, checkpoint: u64, purpose: &str| {
            samples::build(json!({"build": build, "state": state, "checkpoint": checkpoint, "head": 20_000,
                "lag": 20_000 - checkpoint, "events_per_second": 1000.4, "purpose": purpose}))
        };
        let builds = vec![
            build(5, "replaying", 5_000, "verify"),
            build(4, "paused", 5_000, "queries"),
            build(3, "active", 20_000, "queries"),
            build(2, "retired", 7, "queries"),
        ];
        let projection = samples::projection(Some(3), builds);
        assert_eq!(table([&projection], BuildFilter::All).row_count(), 4);
        insta::assert_snapshot!(table([&projection], BuildFilter::WithTables).trim_fmt(), @r"
        PROJECTION  BUILD  VERSION  STATE                 POSITION    HEAD     LAG  EVENTS/S    LEFT
        bank            5        1  replaying (verifies)     5,000  20,000  15,000     1,000  15.0 s
        bank            4        1  paused                   5,000  20,000  15,000     1,000
        bank            3        1  active                  20,000  20,000       0     1,000
        ");
    }
}
