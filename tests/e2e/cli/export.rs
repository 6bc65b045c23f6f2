//! `export`: a file that is whole, or none.

use std::{net::TcpListener, path::Path, process::Stdio};

use gnomon::postgres::test_database::TestDatabase;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{Said, refused, run};
use crate::support::{Host, gnomon};

/// The files of a folder, by their names.
fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_written_to_a_file_that_names_their_position() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    for n in [1, 20, 300] {
        host.append_one(&format!("count-{n}"), "Counted", json!({"n": n})).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let at_end = ["--min-position", "3", "--wait", "60"];

    let parquet = path("sums.parquet");
    std::fs::write(&parquet, "what was there before").unwrap();
    let arguments = [
        "export",
        "tally",
        "tallies",
        "sum=gte.20",
        "--select",
        "stream,sum",
        "--order",
        "sum.desc",
        "--output",
        &parquet,
    ];
    let said = run(&host, &[&arguments, at_end.as_slice()].concat()).await;
    assert_eq!(said.out, format!("{parquet}\n"));
    assert!(said.err.ends_with(" at position 3\n"), "{}", said.err);
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&parquet).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 2);
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let position = pairs.iter().find(|pair| pair.key == "gnomon.position").unwrap();
    assert_eq!(position.value.as_deref(), Some("3"));

    let arrow = path("all.arrows");
    let arguments = ["export", "tally", "tallies", "--format", "arrow", "-o", &arrow, "--json"];
    let said: Value = serde_json::from_str(&run(&host, &[&arguments, at_end.as_slice()].concat()).await.out).unwrap();
    let bytes = std::fs::metadata(&arrow).unwrap().len();
    assert_eq!(said, json!({"file": arrow, "format": "arrow", "bytes": bytes, "position": 3, "build": 1}));
    assert_eq!(files(folder.path()), ["all.arrows", "sums.parquet"]);

    let refusals =
        [("talleys", "stream", "has no table `talleys`"), ("tallies", "stream,stream", "columns of values only")];
    for (table, select, message) in refusals {
        let said =
            refused(&host, &["export", "tally", table, "--select", select, "--output", &path("new.parquet")]).await;
        assert!(said.contains(message), "{said}");
    }
    let said = refused(&host, &["export", "tally", "tallies", "--output", folder.path().to_str().unwrap()]).await;
    assert!(said.ends_with(" is a folder; name a file with --output\n"), "{said}");
    assert_eq!(files(folder.path()), ["all.arrows", "sums.parquet"]);
}

/// Postgres ends the session of an export in its middle: the command fails, and the file that was there stays.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_breaks_off_leaves_no_file() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let pool = database.pool().await;
    let table: String = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tablename = 'tallies' AND schemaname LIKE 'build_%'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    // The first batches are sent before the row that waits for this lock.
    let mut lock = pool.acquire().await.unwrap();
    let rows = format!(
        "ALTER TABLE {table} RENAME TO all_tallies;
         INSERT INTO {schema}.all_tallies (stream, sum, events, last_version)
         SELECT repeat('x', 100) || id, id, 1, 1 FROM generate_series(1, 50000) AS id;
         CREATE VIEW {table} AS SELECT stream,
             CASE WHEN sum = 40000 THEN sum + length(pg_advisory_lock(7)::text) ELSE sum END AS sum, events, last_version
         FROM {schema}.all_tallies;
         SELECT pg_advisory_lock(7)",
        schema = table.split('.').next().unwrap(),
    );
    sqlx::raw_sql(&rows).execute(&mut *lock).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.arrows");
    std::fs::write(&file, "what was there before").unwrap();
    let command = gnomon()
        .args(["export", "tally", "tallies", "--no-wait", "--format", "arrow", "--output", file.to_str().unwrap()])
        .env("GNOMON_URL", host.url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    test_support::until("the session of the export was ended", async || {
        let ended: Vec<bool> = sqlx::query_scalar(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
             AND query LIKE '/* gnomon exports */%' AND wait_event_type = 'Lock'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        !ended.is_empty()
    })
    .await;
    let said = Said::from(tokio::task::spawn_blocking(move || command.wait_with_output().unwrap()).await.unwrap());
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there before");
    assert_eq!(files(folder.path()), ["all.arrows"]);
}

/// The host never answers; the temporary file is there meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_leaves_no_file() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let folder = tempfile::tempdir().unwrap();
        let command = gnomon()
            .args(["export", "tally", "tallies", "--no-wait"])
            .current_dir(folder.path())
            .env("GNOMON_URL", format!("http://{}", silent.local_addr().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        test_support::until("the temporary file is there", async || !files(folder.path()).is_empty()).await;
        kill(Pid::from_raw(command.id().try_into().unwrap()), signal).unwrap();
        let said = Said::from(tokio::task::spawn_blocking(move || command.wait_with_output().unwrap()).await.unwrap());
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{signal}: {}", said.err);
        assert_eq!(said.err, "error: interrupted; nothing is kept of the export\n");
        assert_eq!(files(folder.path()), [""; 0]);
    }
}
