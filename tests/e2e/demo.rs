//! `gnomon demo`, with no option but a folder.

use std::{path::Path, process::Output};

use crate::support::gnomon;

/// Runs the demo to its end, with a private Postgres.
async fn demo(folder: &Path) -> Output {
    let mut command = gnomon();
    command.args(["demo", "--exit", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_the_carriers_and_shows_them_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut tables = Vec::new();
    for _ in 0..2 {
        let output = demo(folder.path()).await;
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{messages}");
        assert!(!messages.contains("error"), "{messages}");
        // The next version was compared, activated and rolled back while clients queried.
        assert!(messages.contains("column very_late is new"), "{messages}");
        assert!(messages.contains("rolled back to version 1 in"), "{messages}");
        assert!(messages.contains(" answers, and 0 failed"), "{messages}");
        tables.push(String::from_utf8(output.stdout).unwrap());
    }
    let lines: Vec<Vec<&str>> = tables[0].lines().map(|line| line.split_whitespace().collect()).collect();
    let header = ["CARRIER", "FLIGHTS", "CANCELLED", "ARRIVED", "ON", "TIME", "AVERAGE", "DELAY"];
    assert!(lines.contains(&header.to_vec()), "{}", tables[0]);
    for carrier in ["Hawaiian Airlines", "United Air Lines", "Mesa Airlines"] {
        assert!(tables[0].contains(carrier) && tables[1].contains(carrier), "{}\n{}", tables[0], tables[1]);
    }
}
