//! Programs of others read a projection of a real host: PostgREST's own clients, unchanged, `@supabase/postgrest-js` and `postgrest` of PyPI; and
//! DuckDB, polars and pandas, which read its tables as Parquet and Arrow; and `eventsource` of npm and `httpx-sse` of PyPI, which follow its rows.
//!
//! The SDKs of CloudEvents and Standard Webhooks, of npm and PyPI, receive messages (`receivers`). `oidc-provider` of npm makes JWTs (`issuer`).
//!
//! `node`, `python`, `dataframes` and `live` hold a program for each. They fold the events of the shop themselves, compare every answer with what they have, and
//! print a line for each case. `cargo test --workspace` leaves this target out, since the clients are not in the repository;
//! `.ci/clients` installs them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it did not expect fails"
)]

mod issuer;
#[path = "../program/mod.rs"]
mod program;
mod receivers;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use gnomon::postgres::test_database::TestDatabase;
use test_support::component;

use crate::program::HostProcess;

const EVENTS: &str = include_str!("events.ndjson");

/// A host that explains its plans and one that does not, on one database with the shop in it.
struct Shop {
    explaining: HostProcess,
    plain: HostProcess,
    _database: TestDatabase,
}

impl Shop {
    async fn open() -> Self {
        let database = TestDatabase::create().await;
        let start = async |options: &[String]| {
            HostProcess::start(&database.url(), Arc::new(tempfile::tempdir().unwrap()), options).await
        };
        let (explaining, plain) = (start(&["--plans".to_owned()]).await, start(&[]).await);
        let imported = explaining.import(EVENTS.to_owned()).await;
        assert_eq!(imported.status, 201, "{}", imported.body);
        let build = explaining.deploy("bookshop", component("bookshop"), "").await;
        explaining.until_state("bookshop", build, "active").await;
        let head = explaining.head().await;
        for host in [&explaining, &plain] {
            host.rows_at("bookshop/books", head).await;
        }
        Self { explaining, plain, _database: database }
    }

    /// Runs a program on it: it prints its cases, and succeeds if all are right.
    async fn read_by(&self, program: &str, script: &str, variables: &[(&str, PathBuf)], cases_at_least: usize) {
        let folder = here();
        let url = |host: &HostProcess| format!("{}/v1/read-models/bookshop", host.url());
        let mut command = Command::new(program);
        command
            .arg(folder.join(script))
            .args([url(&self.explaining), url(&self.plain)])
            .arg(folder.join("events.ndjson"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let (cases, rest) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        println!("{cases}");
        assert!(output.status.success(), "{script}: {}\n{cases}\n{rest}", output.status);
        let count = cases.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(count >= cases_at_least, "{script} has run {count} cases only");
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/clients")
}

/// What `.ci/clients` has installed.
fn installed(variable: &str) -> PathBuf {
    let Some(path) = std::env::var_os(variable) else {
        panic!("{variable} is not set: `.ci/clients` installs the clients and runs this")
    };
    path.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgrest_js_reads_the_shop() {
    let modules = installed("GNOMON_TEST_NODE_MODULES");
    Shop::open().await.read_by("node", "node/main.mjs", &[("GNOMON_TEST_NODE_MODULES", modules)], 80).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgrest_py_reads_the_shop() {
    let python = installed("GNOMON_TEST_PYTHON");
    Shop::open().await.read_by(python.to_str().unwrap(), "python/main.py", &[], 80).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_polars_and_pandas_read_the_shop() {
    let python = installed("GNOMON_TEST_DATAFRAMES");
    Shop::open().await.read_by(python.to_str().unwrap(), "dataframes/main.py", &[], 80).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eventsource_follows_the_shop() {
    let modules = installed("GNOMON_TEST_LIVE_NODE_MODULES");
    Shop::open().await.read_by("node", "live/main.mjs", &[("GNOMON_TEST_NODE_MODULES", modules)], 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn httpx_sse_follows_the_shop() {
    let python = installed("GNOMON_TEST_LIVE_PYTHON");
    Shop::open().await.read_by(python.to_str().unwrap(), "live/main.py", &[], 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_of_npm_receive_messages() {
    let mut node = Command::new("node");
    node.env("GNOMON_TEST_NODE_MODULES", installed("GNOMON_TEST_RECEIVERS_NODE_MODULES"));
    // That SDK takes attributes in headers as they are.
    receivers::check(node, "receivers/main.mjs", "js", "UA1545").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_of_pypi_receive_messages() {
    let python = Command::new(installed("GNOMON_TEST_RECEIVERS_PYTHON"));
    receivers::check(python, "receivers/main.py", "py", "UA 1545 \"Zürich\" 50 %").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certified_issuer_of_npm_says_who_asks() {
    let mut node = Command::new("node");
    node.env("GNOMON_TEST_NODE_MODULES", installed("GNOMON_TEST_ISSUER_NODE_MODULES"));
    issuer::check(node, "issuer/main.mjs").await;
}
