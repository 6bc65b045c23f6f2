//! Commands on reactors.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::{refused, run};
use crate::support::{Host, until};

/// The path of a component, as a user has it.
fn component(folder: &tempfile::TempDir, guest: &str, name: &str) -> String {
    let path = folder.path().join(format!("{name}.wasm"));
    std::fs::write(&path, test_support::guest(guest)).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn handled(host: &Host) {
    until("the reactor has handled the log", async || {
        let found = host.json("/v1/reactors/obeys").await;
        found["checkpoint"] == found["head"]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_is_deployed_rehearsed_and_operated() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(&database).await;
    assert_eq!(run(&host, &["reactors"]).await.err, "there are no reactors; `gnomon deploy` uploads one\n");
    host.append_one("told-1", "Told", json!([{"append": {"stream": "note-1"}}])).await;
    let first = component(&folder, "obeys", "obeys");
    let deployed = run(&host, &["deploy", &first, "--from", "1", "--json"]).await;
    insta::assert_snapshot!(deployed.err, @r"
    uploaded reactor `obeys`, version 1
    version 1 of reactor `obeys` begins behind position 0
    ");
    let printed: Value = serde_json::from_str(&deployed.out).unwrap();
    assert_eq!(printed["reactor"], json!({"name": "obeys", "version": 1, "began_after": 0}));
    handled(&host).await;
    let listed = run(&host, &["reactors"]).await.out;
    let listed: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(listed[0].join(" "), "REACTOR VERSION STATE POSITION HEAD LAG EVENTS/S SCHEDULES");
    // How fast it was depends on the machine.
    assert_eq!((&listed[1][..6], listed[1][7]), (&["obeys", "1", "running", "2", "2", "0"][..], "0"));

    host.append_one("told-2", "Told", json!([{"fail_up_to": 1}, {"call": "pay"}])).await;
    until("the reactor has halted", async || host.json("/v1/reactors/obeys").await["state"] == "halted").await;
    let halted = run(&host, &["reactors"]).await.out;
    assert!(
        halted.contains("reactor `obeys` (version 1) halted at position 3: its module could not handle the event"),
        "{halted}"
    );
    assert!(halted.contains("gnomon reactors retry obeys"), "{halted}");

    // The next version is tried before it works.
    let next = component(&folder, "obeys_next", "next");
    let stored = run(&host, &["deploy", &next, "--name", "obeys", "--activate", "manual"]).await;
    insta::assert_snapshot!(stored.err, @r"
    uploaded reactor `obeys`, version 2
    `gnomon reactors activate obeys` lets it work
    ");
    let rehearsed = run(&host, &["rehearse", "obeys", "--from", "1", "--to", "3"]).await;
    insta::assert_snapshot!(rehearsed.out, @r"
    3 told-2 Told
      + call bank pay 3
    ");
    insta::assert_snapshot!(rehearsed.err, @r"
    version 2 of reactor `obeys` answers 1 event otherwise than version 1 does, of 2 events that one of them answers
    version 1 stops at position 3: Told: it is told to fail
    ");
    assert_eq!(
        run(&host, &["reactors", "activate", "obeys"]).await.err,
        "version 2 of reactor `obeys` goes on where version 1 stopped\n"
    );
    handled(&host).await;
    assert_eq!(host.json("/v1/outbox").await["messages"].as_array().unwrap().len(), 1);

    let paused = run(&host, &["reactors", "pause", "obeys"]).await.err;
    assert_eq!(paused, "reactor `obeys` is paused at position 3; `gnomon reactors resume obeys` resumes it\n");
    assert!(run(&host, &["reactors", "resume", "obeys"]).await.err.starts_with("reactor `obeys` is resumed"));
    let policy = run(&host, &["reactors", "on-failure", "obeys", "skip"]).await.err;
    assert_eq!(policy, "at an event that the module of `obeys` cannot handle, the event is set aside\n");
    host.append_one("told-3", "Told", json!([{"fail_up_to": 9}])).await;
    handled(&host).await;
    let letters = run(&host, &["reactors", "dead-letters", "obeys"]).await;
    assert!(letters.out.contains("it is told to fail"), "{}", letters.out);
    assert!(run(&host, &["reactors", "retry", "obeys"]).await.err.contains("tries again"));
    let history = run(&host, &["reactors", "history", "obeys", "--limit", "2"]).await;
    let lines: Vec<Vec<&str>> = history.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "AT VERSION CHANGE BY CAUSE");
    assert_eq!(lines[1][1..].join(" "), "2 retried anyone an operator asked for it");
    assert_eq!(lines[2][1..].join(" "), "2 configured anyone on_failure was set to skip");
    let unasked = refused(&host, &["reactors", "delete", "obeys"]).await;
    assert!(unasked.contains("`gnomon reactors delete obeys --yes obeys` deletes the reactor"), "{unasked}");
    let deleted = run(&host, &["reactors", "delete", "obeys", "--yes", "obeys"]).await.err;
    assert!(deleted.starts_with("reactor `obeys` is deleted"), "{deleted}");
}
