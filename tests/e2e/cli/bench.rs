//! `gnomon bench all` on a very small scale: every row is measured, runs are compared, and nothing is left. How fast anything is, no test
//! says.

use std::{fs, path::Path, process::Command};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use sqlx::Executor;

use super::Said;
use crate::support::{Postgres, gnomon, until};

/// Seconds for which clients ask.
const SHORT: &str = "0.05";

/// A run of some rows, or of all.
fn bench(url: &str, seconds: &str, arguments: &[&str]) -> Command {
    let mut command = gnomon();
    command.args(["bench", "all", "--events", "600", "--rounds", "1", "--seconds", seconds]).args(arguments);
    command.env("DATABASE_URL", url);
    command
}

async fn run(mut command: Command) -> Said {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap().into()
}

/// A server whose role may make databases.
async fn server() -> Postgres {
    let postgres = Postgres::start().await;
    postgres.administer().await.execute("ALTER ROLE gnomon CREATEDB").await.unwrap();
    postgres
}

/// How many databases of benchmarks there are.
async fn databases(postgres: &Postgres) -> i64 {
    let count = "SELECT count(*) FROM pg_database WHERE datname LIKE 'gnomon\\_bench\\_%'";
    sqlx::query_scalar(count).fetch_one(&mut postgres.administer().await).await.unwrap()
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_measured_and_compared_with_earlier_runs() {
    let (postgres, folder) = (server().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("figures.json");
    let name = file.to_str().unwrap();

    let said = run(bench(postgres.url(), SHORT, &["--json", name])).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report = read(&file);
    let rows = report["rows"].as_array().unwrap();
    for row in rows {
        for side in ["ours", "beside", "ratio"] {
            assert!(row[side].as_f64().unwrap() > 0.0, "{side}: {row}");
        }
        assert_eq!(row["failures"], 0, "{row}");
    }
    let list = run(bench(postgres.url(), SHORT, &["--list"])).await.out;
    let listed: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let measured: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!((measured.len(), &measured), (14, &listed));
    assert!(measured.iter().all(|row| said.out.contains(row)), "{}", said.out);

    // No run is a hundred times as slow as another one.
    let again = ["--only", "append-1", "--only", "rebuild", "--against", name, "--json"];
    let said = run(bench(postgres.url(), SHORT, &[&again[..], &["--tolerance", "99"]].concat())).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let printed: Value = serde_json::from_str(&said.out).unwrap();
    let printed: Vec<&Value> = printed["rows"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(printed, ["append-1", "rebuild"]);

    let mut faster = report.clone();
    for row in faster["rows"].as_array_mut().unwrap() {
        row["ratio"] = json!(row["ratio"].as_f64().unwrap() * 1000.0);
    }
    fs::write(&file, faster.to_string()).unwrap();
    let said = run(bench(postgres.url(), SHORT, &again)).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    for row in ["append-1", "rebuild"] {
        assert!(said.err.contains(&format!("\n  {row}: the ratio is ")), "{}", said.err);
    }
    assert!(said.err.contains("where 25 % are tolerated"), "{}", said.err);
    assert_eq!(databases(&postgres).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_no_database() {
    let postgres = server().await;
    let mut command = bench(postgres.url(), "600", &["--only", "append-1"]);
    let mut running = command.spawn().unwrap();
    until("a host runs on a database of the benchmark", async || {
        let hosts = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'gnomon\\_bench\\_%'";
        let hosts: i64 = sqlx::query_scalar(hosts).fetch_one(&mut postgres.administer().await).await.unwrap();
        hosts > 1
    })
    .await;
    kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), Signal::SIGINT).unwrap();
    let status = tokio::task::spawn_blocking(move || running.wait().unwrap()).await.unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(databases(&postgres).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_make_no_databases_is_refused_with_the_way_out() {
    let postgres = Postgres::start().await;
    let said = run(bench(postgres.url(), SHORT, &[])).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("permission denied to create database"), "{}", said.err);
    assert!(said.err.contains("ALTER ROLE \"gnomon\" CREATEDB"), "{}", said.err);
}
