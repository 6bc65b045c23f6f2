//! Commands at a terminal.

use std::process::{Command, Stdio};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::json;

use crate::{
    host,
    program::{HostProcess, gnomon},
};

/// Runs a command at a terminal, which `script` makes; returns all that it shows.
async fn at_terminal(host: &HostProcess, variables: &[(&'static str, &'static str)], arguments: &str) -> String {
    let program = gnomon().get_program().to_str().unwrap().to_owned();
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &format!("{program} {arguments}"), "/dev/null"]);
    command
        .env("GNOMON_URL", host.url())
        // Not in the home of whoever runs the tests.
        .env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"))
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .env_remove("CARGO_TERM_COLOR");
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The colours in what a terminal shows: `ESC [ … m`. Other sequences move the cursor, and clear what a progress bar has shown.
fn colours(shown: &str) -> Vec<&str> {
    let sequences = shown.split("\u{1b}[").skip(1);
    sequences
        .filter_map(|rest| rest.split_inclusive(|letter: char| letter.is_ascii_alphabetic()).next())
        .filter(|sequence| sequence.ends_with('m'))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_color_is_kept() {
    let database = TestDatabase::create().await;
    let host = host(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    host.append_one("count-1", "Counted", json!({"n": 1})).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, "{\"stream\":\"count-2\",\"type\":\"Counted\",\"data\":{\"n\":1}}\n").unwrap();
    let import = format!("import {}", file.display());
    assert!(!colours(&at_terminal(&host, &[], "--help").await).is_empty(), "the terminal has colours");
    for arguments in [
        "--help",
        "query --help",
        "projektions",
        "retire",
        "query",
        "query tally tallies",
        "query tally nothing",
        "projections",
        "projections tally",
        "compare tally",
        "rebuild tally",
        "modules",
        "streams",
        "events",
        "history tally",
        "verify tally",
        import.as_str(),
        "new Not-A-Name",
    ] {
        let shown = at_terminal(&host, &[("NO_COLOR", "1")], arguments).await;
        assert!(!shown.is_empty(), "{arguments}");
        assert_eq!(colours(&shown), [""; 0], "{arguments}: {shown:?}");
    }
}
