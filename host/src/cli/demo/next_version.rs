//! The next version of a module: deployed beside the old one, compared with it, and activated.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::task::JoinSet;

use super::{caught_up, import::Week, live::LiveQuery, modules::build_one, step::Steps};
use crate::{
    api::{BuildQuery, BuildState, ChangedRow, CompareQuery, Comparison, Row, TableComparison, TableOutcome},
    cli::{
        client::Client,
        deploy::{Activate, upload},
        figures,
        operation::operate,
        sources::Sources,
    },
};

/// The projection that gets a next version.
const PROJECTION: &str = "punctuality";
/// The crate of that version.
const CRATE: &str = "punctuality-v2";
/// Clients that query without a pause during the swaps.
const READERS: usize = 4;
/// Queries between one swap and the next.
const QUERIES_BETWEEN_SWAPS: u64 = 250;

/// The builds of the two versions.
pub(super) struct Versions {
    old: u64,
    new: u64,
}

/// Deploys the next version; its build stays live beside the active one.
pub(super) async fn deploy(
    steps: &mut Steps,
    client: &Client,
    sources: &Sources,
    week: Week,
) -> anyhow::Result<Versions> {
    let step = steps.begin("building version 2 of punctuality");
    let (_, component) = build_one(&step, sources, CRATE).await?;
    let upload = upload(client, PROJECTION, &component.path, Activate::Manual).await?;
    let new = upload.uploaded.build.with_context(|| format!("the host began no build of `{PROJECTION}`"))?;
    let projection = caught_up::until(&step, client, PROJECTION, new, BuildState::Live, week.last_position).await?;
    let old = projection.active_build.with_context(|| format!("no build of `{PROJECTION}` is active"))?;
    step.done(
        "built version 2 of punctuality, and filled its tables",
        &["A flight is on time only if it is not late at all, and a new column counts those that are very late."
            .to_owned()],
    );
    Ok(Versions { old, new })
}

/// Shows how the rows of the two versions differ.
pub(super) async fn compare(steps: &mut Steps, client: &Client, next: &Versions) -> anyhow::Result<()> {
    let step = steps.begin("comparing the two versions");
    let request = client.get(&["v1", "projections", PROJECTION, "compare"]).query(&CompareQuery {
        left: Some(next.old),
        right: Some(next.new),
        samples: Some(2),
    });
    let comparison: Comparison = client.json(request).await?;
    let lines: Vec<String> = comparison.tables.iter().flat_map(describe).collect();
    step.done(format_args!("compared them row by row at position {}", figures::count(comparison.position)), &lines);
    Ok(())
}

/// The differences of a table, in lines.
fn describe(table: &TableComparison) -> Vec<String> {
    let name = &table.table;
    let differences = match &table.outcome {
        TableOutcome::Compared(differences) if !table.identical => differences,
        _ if table.identical => return vec![format!("{name}: identical")],
        _ => return vec![format!("{name}: not compared row by row")],
    };
    let rows = figures::counted(table.rows_right.unwrap_or_default(), "row");
    let mut lines = vec![format!("{name}: {} of {rows} changed", differences.changed)];
    for column in &differences.columns.only_right {
        lines.push(format!("  column {} is new", column.column));
    }
    for column in differences.changed_columns.iter().filter(|column| column.rows > 0) {
        lines.push(format!("  column {} differs in {}", column.column, figures::counted(column.rows, "row")));
    }
    for ChangedRow { before, after, .. } in &differences.samples.changed {
        lines.push(format!(
            "  {} on {}: {} of {} on time, now {}",
            cell(before, "carrier"),
            cell(before, "day"),
            cell(before, "on_time"),
            cell(before, "arrived"),
            cell(after, "on_time"),
        ));
    }
    lines
}

/// A cell as text; empty if the row has no such column.
fn cell(row: &Row, column: &str) -> String {
    let cells = row.cells().unwrap_or_default();
    let value = cells.into_iter().find_map(|(name, value)| (name == column).then_some(value));
    value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default()
}

/// What the live query follows: the days of one carrier.
const LIVE: [&str; 4] = ["v1", "read-models", PROJECTION, "carrier_daily"];
const LIVE_QUERY: &[(&str, &str)] = &[("select", "day,on_time"), ("carrier", "eq.UA")];

/// Activates the new build, the old one and the new one again, while clients query, and one follows.
pub(super) async fn swap(steps: &mut Steps, client: &Client, next: &Versions) -> anyhow::Result<()> {
    let step = steps.begin("activating the new version while clients query");
    let queries = Arc::new(Queries::default());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read(client.clone(), Arc::clone(&queries)));
    }
    let live = LiveQuery::begin(client, LIVE, LIVE_QUERY).await?;
    let mut lines = Vec::new();
    for (swaps, (operation, build, done)) in (1..).zip([
        ("activate", Some(next.new), "activated"),
        next.back(),
        ("activate", Some(next.new), "activated again,"),
    ]) {
        queries.wait_for_more().await;
        let began = Instant::now();
        let operated = operate(client, PROJECTION, operation, &BuildQuery { build }).await?;
        let time = began.elapsed().as_millis();
        if operated.later {
            bail!("{} has not caught up and is not active yet; start the demo again", operated.label());
        }
        let version = operated.found().with_context(|| format!("{} is gone", operated.label()))?.version;
        lines.push(format!("{done} version {version} in {time} ms"));
        live.until_swapped(swaps).await?;
    }
    queries.wait_for_more().await;
    // This stops the readers.
    drop(readers);
    lines.push(queries.describe()?);
    lines.push(live.describe());
    step.done("activated the new version, rolled back and activated it again while clients query", &lines);
    Ok(())
}

impl Versions {
    /// The operation that activates the old build again. A rollback picks only builds that are older than the active one. The build
    /// of the old version is younger if it was built again, since replaced builds are dropped after some time.
    fn back(&self) -> (&'static str, Option<u64>, &'static str) {
        if self.old < self.new { ("rollback", None, "rolled back to") } else { ("activate", Some(self.old), "back to") }
    }
}

/// Queries that were sent.
#[derive(Debug, Default)]
struct Queries {
    answered: AtomicU64,
    failed: AtomicU64,
    /// Why the first failed of those that did.
    why: OnceLock<String>,
}

impl Queries {
    fn all(&self) -> u64 {
        self.answered.load(Ordering::Relaxed) + self.failed.load(Ordering::Relaxed)
    }

    /// The numbers of queries, as a sentence.
    ///
    /// # Errors
    /// A query failed. None may fail, as the demo is to show.
    fn describe(&self) -> anyhow::Result<String> {
        let answered = figures::counted(self.answered.load(Ordering::Relaxed), "answer");
        let failed = self.failed.load(Ordering::Relaxed);
        if let Some(why) = self.why.get() {
            bail!("during the swaps queries got {answered}, and {failed} failed, although none may; the first: {why}");
        }
        Ok(format!("meanwhile queries got {answered}, and {failed} failed"))
    }

    /// Waits for some more queries.
    async fn wait_for_more(&self) {
        let enough = self.all() + QUERIES_BETWEEN_SWAPS;
        while self.all() < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Queries without a pause.
async fn read(client: Client, queries: Arc<Queries>) {
    loop {
        let request = client.get(&["v1", "read-models", PROJECTION, "carrier_daily"]).query(&[
            ("select", "carrier,day,on_time"),
            ("order", "on_time.desc"),
            ("limit", "10"),
        ]);
        match client.text(request).await {
            Ok(_) => queries.answered.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                // Only the first is kept.
                let _ = queries.why.set(error.to_string());
                queries.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_columns_and_changed_rows_are_described() {
        let table = r#"{"table": "carrier_daily", "identical": false, "rows_left": 102, "rows_right": 102, "outcome": "compared",
            "key": ["carrier", "day"], "columns": {"only_left": [], "only_right": [{"column": "very_late", "type": "i64"}], "retyped": []},
            "added": 0, "removed": 0, "changed": 90, "equal": 12,
            "changed_columns": [{"column": "on_time", "rows": 90}, {"column": "arrived", "rows": 0}],
            "samples": {"added": [], "removed": [], "changed": [{"columns": ["on_time"],
                "before": {"carrier": "UA", "day": "2013-01-01", "arrived": 160, "on_time": 120},
                "after": {"carrier": "UA", "day": "2013-01-01", "arrived": 160, "on_time": 80, "very_late": 2}}]}}"#;
        let text = describe(&serde_json::from_str(table).unwrap()).join("\n");
        insta::assert_snapshot!(text, @r"
        carrier_daily: 90 of 102 rows changed
          column very_late is new
          column on_time differs in 90 rows
          UA on 2013-01-01: 120 of 160 on time, now 80
        ");
    }

    #[test]
    fn an_old_version_that_was_built_again_is_activated_by_its_number() {
        assert_eq!(Versions { old: 1, new: 4 }.back(), ("rollback", None, "rolled back to"));
        assert_eq!(Versions { old: 5, new: 4 }.back(), ("activate", Some(5), "back to"));
    }

    #[test]
    fn a_query_that_failed_fails_the_demo_and_says_why() {
        let queries = Queries { answered: AtomicU64::new(1180), ..Queries::default() };
        assert_eq!(queries.describe().unwrap(), "meanwhile queries got 1,180 answers, and 0 failed");
        queries.failed.store(2, Ordering::Relaxed);
        queries.why.set("the connection broke off".to_owned()).unwrap();
        assert_eq!(
            queries.describe().unwrap_err().to_string(),
            "during the swaps queries got 1,180 answers, and 2 failed, although none may; the first: the connection broke off"
        );
    }
}
