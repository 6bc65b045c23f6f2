use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::{
    builds::{
        Activation, BuildId, Role, Work,
        tests::{TestBuilds, rows, step},
    },
    read_model::{
        ColumnType::{Bool, Decimal as DecimalColumn, Text},
        Decimal, Row, TableSet, Value as Cell, WriteSet,
    },
};

/// Two builds of projection `totals` that no host works on, at position 7: 1 is active, 2 is a candidate. Both are paused.
struct TwoBuilds {
    api: TestApi,
    left: (BuildId, TableSet),
    right: (BuildId, TableSet),
    /// Dropped last: the host holds connections.
    builds: TestBuilds,
}

impl TwoBuilds {
    async fn create() -> Self {
        let builds = TestBuilds::create().await;
        let left = builds.build_with(1, &[("n", DecimalColumn), ("old", Text)]).await;
        let right = builds.build_with(2, &[("n", DecimalColumn), ("more", Bool)]).await;
        builds.live(left.0).await;
        builds.activate(left.0, &left.1).await;
        builds.set(right.0, |kept| kept.activation = Activation::Manual).await;
        builds.live(right.0).await;
        let texts = [(1, "1.5", "a"), (2, "2", "b"), (3, "3", "c"), (4, "4", "d")];
        let texts = texts.map(|(id, n, old)| row(id, n, Cell::Text(old.to_owned())));
        let flags = [(1, "1.5", true), (2, "12345678901234567890.25", true), (5, "5", false)];
        let flags = flags.map(|(id, n, more)| row(id, n, Cell::Bool(more)));
        commit(&builds, &left, 0, 7, rows(&left.1, texts)).await;
        commit(&builds, &right, 0, 7, rows(&right.1, flags)).await;
        for build in [left.0, right.0] {
            builds.set(build, |kept| kept.work = Work::Paused).await;
        }
        // The host starts when the builds are paused already.
        Self { api: TestApi::on(&builds.database).await, left, right, builds }
    }

    /// Moves the checkpoint of a build on, as if it had not been paused.
    async fn advance(&self, build: &(BuildId, TableSet), from: u64, to: u64) {
        commit(&self.builds, build, from, to, rows(&build.1, [])).await;
    }

    /// The problem of a comparison of the active build with build 2.
    async fn problem(&self) -> String {
        self.api.get("/v1/projections/totals/compare?right=2").await.problem()
    }
}

fn row(id: i64, n: &str, third: Cell) -> Row {
    [Cell::I64(id), Cell::Decimal(Decimal::parse(n).unwrap()), third].into_iter().collect()
}

async fn commit(builds: &TestBuilds, (build, tables): &(BuildId, TableSet), from: u64, to: u64, writes: WriteSet) {
    let lease = builds.lease(*build).await;
    builds.commit(lease, tables, step(from, to), writes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_are_compared_row_by_row() {
    let two = TwoBuilds::create().await;
    let api = &two.api;
    let answer = api.get("/v1/projections/totals/compare?samples=1").await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_snapshot!(answer.pretty(), @r#"
    {
      "projection": "totals",
      "position": 7,
      "left": {"build": 1, "version": 1},
      "right": {"build": 2, "version": 2},
      "identical": false,
      "tables": [
        {
          "table": "sums",
          "identical": false,
          "rows_left": 4,
          "rows_right": 3,
          "outcome": "compared",
          "key": ["id"],
          "columns": {
            "only_left": [{"column": "old", "type": "text"}],
            "only_right": [{"column": "more", "type": "bool"}],
            "retyped": []
          },
          "added": 1,
          "removed": 2,
          "changed": 1,
          "equal": 1,
          "changed_columns": [{"column": "n", "rows": 1}],
          "samples": {
            "added": [{"id": 5, "n": 5, "more": false}],
            "removed": [{"id": 3, "n": 3, "old": "c"}],
            "changed": [
              {
                "columns": ["n"],
                "before": {"id": 2, "n": 2, "old": "b"},
                "after": {"id": 2, "n": 12345678901234567890.25, "more": true}
              }
            ]
          }
        }
      ]
    }
    "#);
    let reversed = api.get("/v1/projections/totals/compare?left=2&right=1&samples=0").await.json();
    let table = &reversed["tables"][0];
    assert_eq!(reversed["left"], json!({"build": 2, "version": 2}));
    assert_eq!(reversed["right"], json!({"build": 1, "version": 1}));
    assert_eq!((&table["added"], &table["removed"]), (&json!(2), &json!(1)));
    assert_eq!(table["samples"], json!({"added": [], "removed": [], "changed": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_refused_says_why() {
    let two = TwoBuilds::create().await;
    let TwoBuilds { api, left, right, builds } = &two;
    for (path, problem) in [
        ("nobody/compare", "404 projection_not_found: there is no projection `nobody`"),
        ("totals/compare?left=9", "404 build_not_found: projection `totals` has no build 9; it has 2, 1"),
        (
            "totals/compare?right=1",
            "409 nothing_to_compare: build 1 is on both sides; name another build as `left` or `right`",
        ),
        ("totals/compare?samples=101", "400 invalid_query: `samples` must be at most 100; it is 101"),
        (
            "totals/compare?sample=1",
            "400 invalid_query: query string: unknown parameter `sample`, expected one of `left`, `right`, `samples`",
        ),
    ] {
        assert_eq!(api.get(&format!("/v1/projections/{path}")).await.problem(), problem);
    }
    two.advance(left, 7, 9).await;
    assert_eq!(
        two.problem().await,
        "409 build_stopped: build 2 is paused at position 7, and build 1 has gone on to position 9; they can be \
         brought to one position when build 2 goes on"
    );
    two.advance(right, 7, 9).await;
    // As if the tables were dropped behind the look at the builds.
    sqlx::query("DROP SCHEMA build_2 CASCADE").execute(api.pool()).await.unwrap();
    assert_eq!(
        two.problem().await,
        "409 build_retired: tables were dropped before they were read: build 1, build 2; list the builds and compare others"
    );
    builds.retire(right.0).await;
    assert_eq!(two.problem().await, "409 build_retired: build 2 is retired; its tables are dropped or about to be");
    let problem = api.get("/v1/projections/totals/compare").await.problem();
    assert_eq!(
        problem,
        "409 nothing_to_compare: projection `totals` has no other build to compare build 1 with; deploy another version \
         of it, or rebuild it"
    );
    // As before the first build is active.
    builds.set(left.0, |kept| kept.role = Role::Candidate).await;
    assert_eq!(
        two.problem().await,
        "409 nothing_to_compare: projection `totals` has no active build yet; name the builds to compare, `left` and \
         `right`"
    );
}

/// Another host holds a barrier on builds that no host works on: it does not end in time.
#[tokio::test(flavor = "multi_thread")]
async fn a_wait_for_a_barrier_times_out() {
    let two = TwoBuilds::create().await;
    two.builds.set_barrier(7, Duration::from_secs(3600)).await;
    let request = Request::get("/v1/projections/totals/compare").header("prefer", "wait=0").body(Body::empty());
    let answer = two.api.send(request.unwrap()).await;
    assert_eq!(
        answer.problem(),
        "503 barrier_timed_out: the builds did not come to one position within 0 s: build 1 is at 7, build 2 at 7; try \
         again, or wait longer"
    );
    assert_eq!((&answer.json()["left_checkpoint"], answer.header("retry-after")), (&json!(7), "1"));
}
