//! Hosts in this process.

use std::{fmt::Write, path::Path, time::Duration};

use differential_guest::Interpreter;
use gnomon::{
    postgres::test_database::TestDatabase,
    projector::ProjectorSettings,
    server::{Server, ServerSettings},
    subscriptions::BatchSize,
};
use gnomon_sdk::{Projection, Tables, schema::TableSchema};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::{Outcome, Rows, cells, generate::Case};

/// A host that gives modules so many events at once.
pub(crate) struct Host {
    server: Server,
    client: reqwest::Client,
    pool: PgPool,
    /// Dropped last: the others hold connections.
    database: TestDatabase,
}

impl Host {
    pub(crate) async fn start(batch_events: usize) -> Self {
        // There may be one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let batch = BatchSize { max_events: batch_events, ..BatchSize::default() };
        let settings = ServerSettings {
            listen: ([127, 0, 0, 1], 0).into(),
            max_connections: 10,
            cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")),
            projector: ProjectorSettings { batch, ..ProjectorSettings::default() },
            ..ServerSettings::default()
        };
        let server = Server::start(database.connect_options(), settings).await.unwrap();
        Self { server, client: reqwest::Client::new(), pool: database.pool().await, database }
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
        self.pool.close().await;
        drop(self.database);
    }

    /// Folds a case while its events are appended, and once more when all are there.
    pub(crate) async fn fold(&self, case: &Case, component: &[u8]) -> [Outcome; 2] {
        let upload = self.client.put(self.url("/v1/modules/p")).header("content-type", "application/wasm");
        self.send(upload.body(component.to_vec())).await;
        if case.skip {
            self.send(self.client.patch(self.url("/v1/projections/p")).json(&json!({ "on_failure": "skip" }))).await;
        }
        let first = self.build(None).await["build"].as_i64().unwrap();
        let mut rest = case.events.as_slice();
        for size in case.appends.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*size).min(rest.len()));
            rest = later;
            let mut lines = String::new();
            for (stream, operations) in now {
                let line = json!({ "stream": stream, "type": "Do", "data": operations });
                writeln!(lines, "{line}").unwrap();
            }
            let import = self.client.post(self.url("/v1/events")).header("content-type", "application/x-ndjson");
            self.send(import.body(lines)).await;
        }
        let head = u64::try_from(case.events.len()).unwrap();
        let live = self.result(first, head).await;
        let answer = self.send(self.client.post(self.url("/v1/projections/p/rebuild"))).await;
        let second = answer["build"].as_i64().unwrap();
        assert_ne!(first, second);
        [live, self.result(second, head).await]
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    /// The build of this number, or the only one.
    async fn build(&self, number: Option<i64>) -> Value {
        let projection = self.send(self.client.get(self.url("/v1/projections/p"))).await;
        let builds = projection["builds"].as_array().unwrap();
        let build = builds.iter().find(|build| number.is_none_or(|number| build["build"] == number));
        build.unwrap_or_else(|| panic!("no build {number:?}: {projection}")).clone()
    }

    /// What a build came to, as soon as it is at the head or halted.
    async fn result(&self, number: i64, head: u64) -> Outcome {
        let wait = async {
            loop {
                let build = self.build(Some(number)).await;
                let is_there = build["checkpoint"] == head && build["state"] != "replaying";
                if is_there || build["state"] == "halted" || build["state"] == "failed" {
                    return build;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let build = match tokio::time::timeout(Duration::from_secs(300), wait).await {
            Ok(build) => build,
            Err(_) => panic!("it does not arrive: {}", self.build(Some(number)).await),
        };
        let mut failures = self.dead_letters(number).await;
        let error = &build["error"];
        if !error.is_null() {
            failures.push(failure(error, &build));
            assert_eq!(build["checkpoint"], error["position"].as_u64().unwrap() - 1, "{build}");
        }
        Outcome { rows: self.rows(number).await, failures }
    }

    async fn dead_letters(&self, build: i64) -> Vec<(u64, String)> {
        let mut letters = Vec::new();
        let mut after = json!(0);
        while !after.is_null() {
            let path = format!("/v1/projections/p/dead-letters?build={build}&limit=1000&after={after}");
            let page = self.send(self.client.get(self.url(&path))).await;
            letters.extend(page["dead_letters"].as_array().unwrap().iter().map(|letter| {
                let error = &letter["error"];
                let (_, message) = failure(error, letter);
                (letter["position"].as_u64().unwrap(), message)
            }));
            after = page["next"].clone();
        }
        letters
    }

    async fn rows(&self, build: i64) -> Rows {
        let mut all = Rows::new();
        for table in <Interpreter as Projection>::Tables::schemas() {
            let mut rows = self.rows_of(build, &table).await;
            rows.sort();
            all.insert(table.name.to_owned(), rows);
        }
        all
    }

    async fn rows_of(&self, build: i64, table: &TableSchema) -> Vec<Vec<String>> {
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
