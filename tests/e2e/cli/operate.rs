//! The commands that operate builds.

use std::process::Stdio;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{Said, modules::component, refused, run};
use crate::support::{Host, gnomon, until};

/// A host with two streams that count, and a projection of them.
async fn host_with_tally(database: &TestDatabase, folder: &TempDir) -> Host {
    let host = Host::start(database).await;
    host.append_one("count-1", "Counted", json!({"n": 5})).await;
    host.append_one("count-2", "Counted", json!({"n": 7})).await;
    run(&host, &["deploy", &component(folder, "tally")]).await;
    host
}

fn parsed(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_compared_before_it_is_activated_and_rolled_back() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    let next = component(&folder, "tally_next");
    let deploy = ["deploy", &next, "--name", "tally", "--compare"];

    // Stdin is not a terminal.
    let waiting = run(&host, &deploy).await;
    insta::assert_snapshot!(waiting.err, @r"
    uploaded projection `tally`, version 2
    build 2 of `tally` has caught up at position 2 and is live; queries read build 1
    build 2 stays live, since the command cannot ask without a terminal; `gnomon activate tally 2` activates it, and so does --yes
    ");
    insta::assert_snapshot!(waiting.out, @r"
    tally: build 1 (version 1) → build 2 (version 2), at position 2

    tallies: 2 rows → 2 rows
      columns  + poison i64
               - last_version i64
      rows     2 equal, 0 changed, 0 added, 0 removed
    ");
    assert_eq!(run(&host, &["compare", "tally"]).await.out, waiting.out);
    assert_eq!(host.projection("tally").await["active_build"], 1);

    let activated = run(&host, &[deploy.as_slice(), &["--yes", "--json"]].concat()).await;
    let replaced = "\nqueries read build 2 (version 2) of `tally`, which replaces build 1 (version 1)\n";
    assert!(activated.err.ends_with(replaced), "{}", activated.err);
    let answer = parsed(&activated);
    assert_eq!((&answer["state"], &answer["comparison"]["tables"][0]["equal"]), (&json!("active"), &json!(2)));

    let back = run(&host, &["rollback", "tally"]).await.err;
    assert_eq!(back, "queries read build 1 (version 1) of `tally`, which replaces build 2 (version 2)\n");
    insta::assert_snapshot!(refused(&host, &["rollback", "tally"]).await, @r"
    error: projection `tally` has no build to roll back to: no earlier one that was active is kept; any other is activated by its number
      see <host>/errors/no_suitable_build
    ");
    let forward = parsed(&run(&host, &["activate", "tally", "--json"]).await);
    assert_eq!((&forward["build"], &forward["active_build"]), (&json!(2), &json!(2)));
    assert_eq!(forward["replaced"], json!({"build": 1, "version": 1}));
    insta::assert_snapshot!(run(&host, &["activate", "tally"]).await.err, @"queries read build 2 (version 2) of `tally` already, and nothing has changed; `gnomon rollback tally` goes back, `gnomon activate tally BUILD` turns to any other build");

    let rebuilt = run(&host, &["rebuild", "tally", "--version", "1", "--activate", "manual"]).await;
    insta::assert_snapshot!(rebuilt.err, @r"
    build 3 (version 1) of `tally` was begun
    build 3 of `tally` has caught up at position 2 and is live; queries read build 2
    `gnomon compare tally` shows how it differs, `gnomon activate tally 3` activates it
    ");
    let identical = run(&host, &["compare", "tally", "1", "3"]).await.out;
    insta::assert_snapshot!(identical, @"tally: build 1 (version 1) and build 3 (version 1) are identical at position 2: 2 rows in 1 table");
    run(&host, &["retire", "tally", "3"]).await;
    assert_eq!(host.build("tally", 3).await["state"], "retired");
    let listed = async |retired: &[&str]| run(&host, &[&["projections", "tally"], retired].concat()).await.out;
    assert!(!listed(&[]).await.contains("retired") && listed(&["--retired"]).await.contains("  retired  "));
    assert!(refused(&host, &["retire", "tally", "2"]).await.contains("activate another one first"));

    let history = run(&host, &["history", "tally", "--limit", "2"]).await;
    let last: Vec<&str> = history.out.lines().map(|line| line.trim_start_matches(|c| c != 'B' && c != 'Z')).collect();
    assert_eq!(last[1], "Z      3  retired    anyone  an operator retired it");
    assert!(history.err.starts_with("there may be more: --after "), "{}", history.err);
}

/// The fix of a module that has halted: there is nothing to compare with, and the deployment has worked all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_compared_with_a_halted_build_is_deployed_and_the_way_out_is_shown() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    host.until_state("tally", 1, "halted").await;
    let shown = run(&host, &["projections", "tally"]).await.out;
    assert!(shown.contains("halted (queries read it)"), "{shown}");

    let deploy = ["deploy", &component(&folder, "tally_next"), "--name", "tally", "--compare"];
    let deployed = run(&host, &deploy).await;
    insta::assert_snapshot!(deployed.err.replace(host.url(), "<host>"), @r"
    uploaded projection `tally`, version 2
    build 2 of `tally` has caught up at position 3 and is live; queries read build 1
    build 2 cannot be compared with the active build 1: build 1 is halted at position 2, and build 2 has gone on to position 3; they can be brought to one position when build 1 goes on
      see <host>/errors/build_stopped
    `gnomon compare tally` tries it again; `gnomon activate tally 2` activates build 2 without a comparison
    build 2 stays live, since the command cannot ask without a terminal; `gnomon activate tally 2` activates it, and so does --yes
    ");
    assert_eq!((deployed.out.as_str(), &host.projection("tally").await["active_build"]), ("", &json!(1)));
    let activated = run(&host, &[deploy.as_slice(), &["--yes"]].concat()).await;
    assert!(activated.err.ends_with("which replaces build 1 (version 1)\n"), "{}", activated.err);
    insta::assert_snapshot!(refused(&host, &["rollback", "tally"]).await, @r"
    error: projection `tally` has no build to roll back to: build 1 was active before, and is halted: it would stand still. Let it continue, or activate it by its number
      see <host>/errors/no_suitable_build
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_fail_are_set_aside_listed_and_tried_again() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    let last = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    host.until_state("tally", 1, "halted").await;

    assert_eq!(run(&host, &["dead-letters", "tally"]).await.err, "build 1 of `tally` has set no event aside\n");
    insta::assert_snapshot!(run(&host, &["on-failure", "tally", "park"]).await.err, @r"
    at an event that the module of `tally` cannot handle, the event is set aside, and so are all later events of its stream
    build 1 is halted; `gnomon retry tally 1` lets it continue
    ");
    run(&host, &["retry", "tally"]).await;
    host.rows_at("tally/tallies", last).await;
    let letters = run(&host, &["dead-letters", "tally", "--build", "1"]).await;
    insta::assert_snapshot!(letters.out, @r"
    POSITION  STREAM   TYPE     PARKED  ERROR
           3  count-1  Counted  yes     Counted: it is poison
           4  count-1  Counted  yes     waits for an earlier event of its stream
    ");
    assert_eq!(letters.err, "build 1 of `tally` has set 2 events aside; `gnomon retry tally 1` tries them again\n");
    let projection = run(&host, &["projections", "tally"]).await.out;
    assert!(projection.contains("build 1 of `tally` has set 2 events aside; `gnomon dead-letters"), "{projection}");

    let paused = parsed(&run(&host, &["pause", "tally", "1", "--json"]).await);
    assert_eq!((&paused["state"], &paused["checkpoint"]), (&json!("paused"), &json!(last)));
    insta::assert_snapshot!(refused(&host, &["retry", "tally"]).await, @r"
    error: build 1 of projection `tally` is paused: resume it first
      see <host>/errors/wrong_build_state
    ");
    assert_eq!(run(&host, &["resume", "tally"]).await.err, "build 1 (version 1) of `tally` is resumed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_is_verified_and_the_build_that_verifies_is_retired() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    let said = run(&host, &["verify", "tally"]).await.out;
    let (result, hash) = said.trim_end().split_once("\ncontent hash ").unwrap();
    assert_eq!(
        result,
        "identical: build 1 (version 1) of `tally` at position 2, 2 rows in 1 table\n\
         built again from 2 events in 2 batches of at most 1, each with fresh memory"
    );
    assert_eq!(hash.len(), 64);
    assert_eq!(host.projection("tally").await["verifications"], json!([]));

    let events = (0..1000).map(|_| json!({"stream": "any-1", "type": "Happened", "data": {}}));
    host.import(events.map(|event| format!("{event}\n")).collect()).await;
    run(&host, &["deploy", &component(&folder, "remembers")]).await;
    let differs = Said::from(host.try_run(&["verify", "remembers", "--samples", "1"]).await);
    assert_eq!(differs.code, Some(1));
    assert!(differs.err.contains("the read model of `remembers` is not a function of its events"), "{}", differs.err);
    let lines: Vec<&str> = differs.out.lines().collect();
    assert_eq!(lines[0], "remembers: build 1 (version 1) → verification 1, at position 1,002");
    assert_eq!(lines[2], "notes: 1,002 rows → 1,002 rows");
    assert!(lines[5].starts_with("  ~ position=") && lines[5].contains(" seen\" → \""), "{}", lines[5]);
    assert_eq!(host.projection("remembers").await["verifications"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn upcasters_are_activated_and_projections_are_built_again() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    // This projection reads every type of event; `tally` reads none that is rewritten.
    run(&host, &["deploy", &component(&folder, "remembers")]).await;
    assert!(run(&host, &["upcasters"]).await.err.starts_with("no upcaster is active"));
    let path = folder.path().join("flight-arrivals.wasm");
    std::fs::write(&path, test_support::component("flight-arrivals")).unwrap();
    let upcaster = path.to_str().unwrap();

    insta::assert_snapshot!(refused(&host, &["deploy", upcaster, "--compare"]).await, @r"
    uploaded upcaster `flight_arrivals`, version 1
    error: only builds of projections can be compared, and `flight_arrivals` is an upcaster; `gnomon upcasters activate flight_arrivals` activates it
    ");
    let deployed = run(&host, &["deploy", upcaster, "--json"]).await;
    insta::assert_snapshot!(deployed.err, @r"
    upcaster `flight_arrivals` is unchanged: version 1 has the same bytes
    built again: `remembers` (build 2)
    build 2 of `remembers` is active at position 2
    ");
    assert_eq!(parsed(&deployed)["builds"], json!([{"projection": "remembers", "build": 2}]));
    insta::assert_snapshot!(run(&host, &["upcasters"]).await.out, @r"
    UPCASTER         VERSION  EVENT TYPE     SCHEMA VERSION  PRODUCES
    flight_arrivals        1  FlightArrived  1 → 2           FlightArrived
    ");

    let off = run(&host, &["upcasters", "deactivate", "flight_arrivals"]).await;
    insta::assert_snapshot!(off.err, @r"
    upcaster `flight_arrivals` is not active any more
    built again: `remembers` (build 3)
    build 3 of `remembers` is active at position 2
    ");
    assert_eq!(host.projection("remembers").await["active_build"], 3);
    let on = run(&host, &["upcasters", "activate", "flight_arrivals", "--version", "1", "--no-wait", "--json"]).await;
    assert_eq!(parsed(&on)["builds"], json!([{"projection": "remembers", "build": 4}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_is_deleted_only_by_its_name() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    insta::assert_snapshot!(refused(&host, &["delete", "tally", "--yes", "tallies"]).await, @"error: the projection is `tally`, but the repeated name is `tallies`; nothing was deleted");
    insta::assert_snapshot!(refused(&host, &["delete", "tally"]).await, @r"
    this deletes 1 build of `tally` with 1 table: tallies
    error: the command cannot ask, since this is not a terminal; `gnomon delete tally --yes tally` deletes the projection
    ");
    assert_eq!(host.projection("tally").await["active_build"], 1);
    run(&host, &["delete", "tally", "--yes", "tally"]).await;
    assert!(run(&host, &["projections"]).await.err.starts_with("no projections"));
    insta::assert_snapshot!(refused(&host, &["rebuild", "tally"]).await, @r"
    error: there is no projection `tally`
      see <host>/errors/projection_not_found
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn projections_are_watched_line_by_line() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let host = host_with_tally(&database, &folder).await;
    let mut command = tokio::process::Command::from(gnomon());
    command.args(["projections", "--watch"]).env("GNOMON_URL", host.url()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut watching = command.spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    assert!(first.starts_with("tally build 1 (version 1): active at 2 of 2"), "{first}");
    run(&host, &["pause", "tally"]).await;
    until("the pause is shown", async || {
        lines
            .next_line()
            .await
            .unwrap()
            .unwrap()
            .starts_with("tally build 1 (version 1): paused (queries read it) at 2 of 2")
    })
    .await;
}
