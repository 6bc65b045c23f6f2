//! `gnomon bench all` on a very small scale: every row is measured, runs are compared, and nothing is left. How fast anything is, no test
//! says.

use std::{fs, path::Path, process::Command, str::FromStr};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, postgres::PgConnectOptions};

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

/// Rows that are left out where message-db is not installed, where there is no NATS server, and unless they are asked for.
const MESSAGE_DB: [&str; 2] = ["message-db-16", "message-db-64"];
const PUBLISHED: &str = "publish-log";
/// Nobody listens there. What is measured with a NATS server, the tests `nats` check.
const NO_NATS: [&str; 2] = ["--nats-url", "nats://127.0.0.1:1"];
const OBSERVED: [&str; 6] =
    ["traced-append", "sampled-append", "scraped-append", "traced-rebuild", "sampled-rebuild", "scraped-rebuild"];
const LONG_STREAM: [&str; 2] = ["state-1000000", "history-1000000"];
const AT_SIZES: [&str; 3] = ["cost-at-size-append", "cost-at-size-rebuild", "cost-at-size-query"];

async fn listed(url: &str) -> Vec<String> {
    let list = run(bench(url, SHORT, &["--list"])).await.out;
    list.lines().skip(1).filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

fn names(report: &Value) -> Vec<String> {
    report["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// Both sides of a row were measured, and no request failed.
fn check(row: &Value) {
    // A host that has nothing to do may use no processor time.
    let may_be_nothing = row["unit"] == "% of a core";
    for side in ["ours", "beside", "ratio"] {
        assert!(row[side].as_f64().unwrap() > 0.0 || may_be_nothing, "{side}: {row}");
    }
    assert_eq!(row["failures"], 0, "{row}");
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_measured_and_compared_with_earlier_runs() {
    let (postgres, folder) = (server().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("figures.json");
    let name = file.to_str().unwrap();

    let said = run(bench(postgres.url(), SHORT, &[&NO_NATS[..], &["--json", name]].concat())).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report = read(&file);
    let rows = report["rows"].as_array().unwrap();
    rows.iter().for_each(check);
    let idle = rows.iter().find(|row| row["name"] == "idle-builds-appends").unwrap();
    for detail in ["host_cores", "appends_per_second"] {
        assert!(idle["details"]["ours"][detail].as_f64().unwrap() > 0.0, "{detail}: {idle}");
    }
    let measured = names(&report);
    assert!(measured.iter().all(|row| said.out.contains(row)), "{}", said.out);
    // The others take long, or need another program.
    let listed = listed(postgres.url()).await;
    let others: Vec<&str> = listed.iter().filter(|row| !measured.contains(row)).map(String::as_str).collect();
    assert_eq!(
        (listed.len(), others),
        (54, [&MESSAGE_DB[..], &[PUBLISHED], &OBSERVED, &AT_SIZES, &LONG_STREAM].concat())
    );
    let left_out =
        "left out: message-db-16, message-db-64, since no database `message_store_bench` can be used on this server: ";
    assert!(report["left_out"].as_str().unwrap().starts_with(left_out), "{report}");
    assert!(said.err.contains(&format!("\n{left_out}")), "{}", said.err);
    let left_out = "\nleft out: publish-log, since the NATS server at nats://127.0.0.1:1 cannot be used: ";
    assert!(report["left_out"].as_str().unwrap().contains(left_out), "{report}");
    assert!(said.err.contains(left_out), "{}", said.err);
    // Nobody who follows rows is looked for one by one.
    for row in ["followers-1000", "followers-1000-queries", "followers-1000-told"] {
        let row = rows.iter().find(|found| found["name"] == row).unwrap();
        let (ours, beside) = (&row["details"]["ours"], &row["details"]["beside"]);
        assert_eq!((&ours["followers"], &beside["followers"]), (&json!(1000.0), &json!(1.0)), "{row}");
        assert!(ours["looks_per_commit"].as_f64().unwrap() < 3.0, "{row}");
    }

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
async fn sizes_are_compared_if_they_are_asked_for() {
    let postgres = server().await;
    let asked = [&AT_SIZES[..], &LONG_STREAM].concat();
    let arguments: Vec<&str> = asked.iter().flat_map(|row| ["--only", row]).chain(["--json"]).collect();
    let said = run(bench(postgres.url(), SHORT, &arguments)).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (names(&report), report.get("left_out")),
        (asked.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>(), None)
    );
    for row in report["rows"].as_array().unwrap() {
        check(row);
        if AT_SIZES.iter().any(|name| row["name"] == *name) {
            assert!(row["details"]["ours"]["at_3_times_per_second"].as_f64().unwrap() > 0.0, "{row}");
        }
    }
    assert_eq!(databases(&postgres).await, 0);
}

/// The row fails if the host that is observed sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_costs_to_be_seen_is_measured_if_it_is_asked_for() {
    let postgres = server().await;
    let arguments: Vec<&str> = OBSERVED.iter().flat_map(|row| ["--only", row]).chain(["--json"]).collect();
    let said = run(bench(postgres.url(), SHORT, &arguments)).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(names(&report), OBSERVED);
    report["rows"].as_array().unwrap().iter().for_each(check);
    assert_eq!(databases(&postgres).await, 0);
}

/// What message-db's function takes and does, as far as the benchmark knows it: no test installs message-db.
const WRITE_MESSAGE: &str = "
    CREATE SCHEMA message_store;
    CREATE TABLE message_store.messages (id varchar PRIMARY KEY, stream_name varchar, type varchar, data jsonb);
    CREATE FUNCTION message_store.write_message(id varchar, stream_name varchar, type varchar, data jsonb, metadata jsonb DEFAULT NULL,
        expected_version bigint DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO messages VALUES (write_message.id, write_message.stream_name, write_message.type, write_message.data);
        RETURN 0;
    END $$";

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_measured_beside_message_db_where_its_role_may_write() {
    let postgres = server().await;
    let mut admin = postgres.administer().await;
    admin.execute("CREATE DATABASE message_store_bench").await.unwrap();
    let options =
        PgConnectOptions::from_str(postgres.url()).unwrap().username("postgres").database("message_store_bench");
    let mut store = sqlx::PgConnection::connect_with(&options).await.unwrap();
    store.execute(WRITE_MESSAGE).await.unwrap();
    let arguments = ["--only", MESSAGE_DB[0], "--only", MESSAGE_DB[1], "--json"];

    let said = run(bench(postgres.url(), SHORT, &arguments)).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(names(&report), [] as [String; 0]);
    let why = "the database `message_store_bench` has no function message_store.write_message that the role `gnomon` may call";
    assert!(report["left_out"].as_str().unwrap().ends_with(why), "{report}");

    store
        .execute("GRANT USAGE ON SCHEMA message_store TO gnomon; GRANT INSERT ON message_store.messages TO gnomon")
        .await
        .unwrap();
    let said = run(bench(postgres.url(), SHORT, &arguments)).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(names(&report), MESSAGE_DB);
    report["rows"].as_array().unwrap().iter().for_each(check);
    let written = "SELECT count(*) FROM message_store.messages WHERE stream_name LIKE 'account-%' AND data ->> 'currency' = 'EUR'";
    let written: i64 = sqlx::query_scalar(written).fetch_one(&mut store).await.unwrap();
    assert!(written >= 2 * (16 + 64), "{written}");
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
