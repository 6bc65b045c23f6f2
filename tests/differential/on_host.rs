//! Cases folded by hosts in this process.

use std::{fmt::Write, path::Path, time::Duration};

use differential_guest::Interpreter;
use gnomon::{projector::ProjectorSettings, server::ServerSettings, subscriptions::BatchSize};
use gnomon_sdk::{Projection, Tables, schema::TableSchema};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::{
    Outcome, Rows, cells,
    generate::{Case, Told},
    host::TestHost,
};

/// A host that gives modules so many events at once.
pub(crate) struct FoldingHost {
    pool: PgPool,
    /// Dropped last: its database is dropped with it.
    host: TestHost,
}

impl FoldingHost {
    pub(crate) async fn start(batch_events: usize) -> Self {
        let batch = BatchSize { max_events: batch_events, ..BatchSize::default() };
        let settings = ServerSettings {
            cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
            projector: ProjectorSettings { batch, ..ProjectorSettings::default() },
            ..ServerSettings::default()
        };
        let host = TestHost::start(settings).await;
        Self { pool: host.database.pool().await, host }
    }

    pub(crate) async fn stop(self) {
        self.pool.close().await;
        self.host.stop().await;
    }

    /// Folds a case while its events are appended, and once more when all are there.
    pub(crate) async fn fold(&self, case: &Case, component: &[u8]) -> [Outcome; 2] {
        let first = self.host.deploy("p", component.to_vec(), "").await;
        if case.skip {
            self.host.set_on_failure("p", "skip").await;
        }
        let mut rest = case.events.as_slice();
        for size in case.appends.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*size).min(rest.len()));
            rest = later;
            let mut lines = String::new();
            for Told { stream, operations, tags } in now {
                let line = json!({ "stream": stream, "type": "Do", "data": operations, "tags": tags });
                writeln!(lines, "{line}").unwrap();
            }
            let imported = self.host.import(lines).await;
            assert!(imported.status.is_success(), "{imported:?}");
        }
        let head = u64::try_from(case.events.len()).unwrap();
        let live = self.result(first, head).await;
        let rebuilt = self.host.post("/v1/projections/p/rebuild").await;
        assert!(rebuilt.status.is_success(), "{rebuilt:?}");
        let second = rebuilt.body["build"].as_u64().unwrap();
        assert_ne!(first, second);
        [live, self.result(second, head).await]
    }

    /// The result of a build, as soon as it is at the head or halted.
    async fn result(&self, number: u64, head: u64) -> Outcome {
        let wait = async {
            loop {
                let build = self.host.build("p", number).await;
                let is_there = build["checkpoint"] == head && build["state"] != "replaying";
                if is_there || build["state"] == "halted" || build["state"] == "failed" {
                    return build;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let build = match tokio::time::timeout(Duration::from_secs(300), wait).await {
            Ok(build) => build,
            Err(_) => panic!("build {number} does not reach the head: {}", self.host.build("p", number).await),
        };
        let mut failures = self.dead_letters(number).await;
        let error = &build["error"];
        if !error.is_null() {
            failures.push(failure(error, &build));
            assert_eq!(build["checkpoint"], error["position"].as_u64().unwrap() - 1, "{build}");
        }
        Outcome { rows: self.rows(number).await, failures }
    }

    /// What the past of a position is.
    pub(crate) async fn past(&self, position: usize) -> Outcome {
        // A build that halts early may never have been active.
        let path = format!("/v1/read-models/p/pairs?limit=0&version=1&as_of={position}");
        let answer = self.host.request(reqwest::Method::GET, &path).header("prefer", "wait=60").send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status == 200 || status == 409, "{status}: {body}");
        let (build, error): (i64, Option<Value>) =
            sqlx::query_as("SELECT build, error FROM gnomon.builds WHERE stop_at = $1")
                .bind(i64::try_from(position).unwrap())
                .fetch_one(&self.pool)
                .await
                .unwrap();
        let letters: Vec<(i64, Value)> =
            sqlx::query_as("SELECT position, error FROM gnomon.dead_letters WHERE subscription = $1 ORDER BY position")
                .bind(build)
                .fetch_all(&self.pool)
                .await
                .unwrap();
        let mut failures: Vec<(u64, String)> =
            letters.iter().map(|(position, error)| (position.cast_unsigned(), failure(error, error).1)).collect();
        assert_eq!(error.is_some(), status == 409, "{body}");
        if let Some(error) = error {
            failures.push(failure(&error, &error));
        }
        Outcome { rows: self.rows(build.cast_unsigned()).await, failures }
    }

    async fn dead_letters(&self, build: u64) -> Vec<(u64, String)> {
        let mut letters = Vec::new();
        let mut after = json!(0);
        while !after.is_null() {
            let path = format!("/v1/projections/p/dead-letters?build={build}&limit=1000&after={after}");
            let page = self.host.json(&path).await;
            letters.extend(page["dead_letters"].as_array().unwrap().iter().map(|letter| {
                let error = &letter["error"];
                let (_, message) = failure(error, letter);
                (letter["position"].as_u64().unwrap(), message)
            }));
            after = page["next"].clone();
        }
        letters
    }

    async fn rows(&self, build: u64) -> Rows {
        let mut all = Rows::new();
        for table in <Interpreter as Projection>::Tables::schemas() {
            let mut rows = self.rows_of(build, &table).await;
            rows.sort();
            all.insert(table.name.to_owned(), rows);
        }
        all
    }

    async fn rows_of(&self, build: u64, table: &TableSchema) -> Vec<Vec<String>> {
        let columns: Vec<String> =
            table.columns.iter().map(|column| cells::expression(column.name, column.column_type)).collect();
        let statement = format!("SELECT {} FROM build_{build}.{}", columns.join(", "), table.name);
        let rows = sqlx::query(&statement).fetch_all(&self.pool).await.unwrap();
        let cell = |row: &sqlx::postgres::PgRow, index: usize| {
            cells::of_postgres(row.get(index), table.columns[index].column_type)
        };
        rows.iter().map(|row| (0..table.columns.len()).map(|index| cell(row, index)).collect()).collect()
    }
}

fn failure(error: &Value, whole: &Value) -> (u64, String) {
    let message = error["message"].as_str().unwrap_or_else(|| panic!("no message: {whole}"));
    (error["position"].as_u64().unwrap_or_default(), message.to_owned())
}
