//! The row of `gnomon bench all` that publishes the log, with a server that is there and with one that the benchmark starts.

use std::process::{Command, Output};

use crate::program::gnomon;

use super::*;

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_is_measured_and_leaves_no_stream() {
    let (nats, folder) = (Nats::start(None).await, tempfile::tempdir().unwrap());
    for url in [Some(nats.url()), None] {
        let mut command = gnomon();
        command.args(["bench", "all", "--only", "publish-log", "--events", "600", "--rounds", "2", "--json"]);
        command.args(url.iter().flat_map(|url| ["--nats-url", url]));
        // Without a URL, on a private Postgres of its own.
        command.arg("--data-dir").arg(folder.path());
        let said = run(command).await;
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{error}");
        let report: Value = serde_json::from_slice(&said.stdout).unwrap();
        let row = &report["rows"][0];
        assert_eq!((&row["name"], report.get("left_out")), (&json!("publish-log"), None), "{error}");
        for side in ["ours", "beside"] {
            assert!(row[side].as_f64().unwrap() > 0.0, "{row}");
            assert!(row["details"][side]["bytes_of_message"].as_f64().unwrap() > 200.0, "{row}");
        }
        let context = nats.context().await;
        for stream in ["gnomon_bench_log", "gnomon_bench_beside", "gnomon_bench_sample"] {
            assert!(context.get_stream(stream).await.is_err(), "{stream} is left");
        }
    }
}
