//! `deploy` of components, `modules` and `projections`, also with a build that halts.

use std::{fs, path::PathBuf};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Said, refused, run};
use crate::support::Host;

pub(super) fn component(folder: &TempDir, guest: &str) -> String {
    let path: PathBuf = folder.path().join(format!("{guest}.wasm"));
    fs::write(&path, test_support::guest(guest)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_deployed_and_listed() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let (tally, next) = (component(&folder, "tally"), component(&folder, "tally_next"));
    assert_eq!(run(&host, &["modules"]).await.err, "no modules; `gnomon deploy` uploads one\n");
    assert_eq!(run(&host, &["projections"]).await.err, "no projections; `gnomon deploy` uploads one\n");

    let first = run(&host, &["deploy", &tally]).await;
    assert_eq!(first.out, "");
    assert_eq!(first.err, "uploaded projection `tally`, version 1\nbuild 1 of `tally` is active at position 0\n");
    let again = run(&host, &["deploy", &tally]).await.err;
    assert_eq!(
        again,
        "projection `tally` is unchanged: version 1 has the same bytes\nbuild 1 of `tally` is active at position 0\n"
    );
    let second = run(&host, &["deploy", &next, "--name", "tally", "--activate", "manual", "--json"]).await;
    assert_eq!(
        second.err,
        "uploaded projection `tally`, version 2\nbuild 2 of `tally` has caught up at position 0 and is live; queries read build 1\n"
    );
    let answer: Value = serde_json::from_str(&second.out).unwrap();
    assert_eq!((&answer["version"], &answer["build"], &answer["state"]), (&json!(2), &json!(2), &json!("live")));

    insta::assert_snapshot!(run(&host, &["projections"]).await.out, @r"
    PROJECTION  BUILD  VERSION  STATE   POSITION  HEAD  LAG  EVENTS/S  LEFT
    tally           2        2  live           0     0    0         0
    tally           1        1  active         0     0    0         0
    ");
    insta::assert_snapshot!(run(&host, &["projections", "tally"]).await.out, @r"
    PROJECTION  BUILD  VERSION  STATE   POSITION  HEAD  LAG  EVENTS/S  LEFT
    tally           2        2  live           0     0    0         0
    tally           1        1  active         0     0    0         0

    tables: tallies
    on failure: halt

    build 1 (version 1) reads these types of events from streams of count:
    TYPE     HANDLED
    Counted        0
    ");
    let projection: Value = serde_json::from_str(&run(&host, &["projections", "tally", "--json"]).await.out).unwrap();
    assert_eq!(projection["active_version"], 1);

    let listed = run(&host, &["modules"]).await.out;
    let cells: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells[0], ["NAME", "KIND", "VERSION", "DIGEST", "SIZE", "UPLOADED"]);
    assert_eq!(cells[1][..3], ["tally", "projection", "2"]);
    assert_eq!(cells.len(), 2);
    let versions = run(&host, &["modules", "tally"]).await.out;
    let numbers: Vec<&str> = versions.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(numbers, ["1", "2"]);
    let is_shown = |line: &str| line.trim_end().ends_with(&format!("gnomon-sdk {} (Rust)", env!("CARGO_PKG_VERSION")));
    assert!(versions.lines().skip(1).all(is_shown), "{versions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_modules_are_deployed_as_one_change() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let (tally, ledger) = (component(&folder, "tally"), component(&folder, "ledger"));
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let upcaster = write("arrivals.wasm", test_support::component("flight-arrivals"));
    let twin = write("twin.wasm", test_support::component("flight-arrivals"));

    insta::assert_snapshot!(refused(&host, &["deploy", &tally, &upcaster, "--name", "one"]).await, @"error: --name one names one module, and 2 are given; deploy it alone, or leave --name out");
    // Upcasters alone are stored, as one is.
    insta::assert_snapshot!(run(&host, &["deploy", &upcaster, &twin, "--activate", "manual"]).await.err, @r"
    uploaded upcaster `arrivals`, version 1
    uploaded upcaster `twin`, version 1
    `gnomon upcasters activate arrivals` activates it
    `gnomon upcasters activate twin` activates it
    ");
    insta::assert_snapshot!(refused(&host, &["deploy", &upcaster, &twin, &tally]).await, @r"
    upcaster `arrivals` is unchanged: version 1 has the same bytes
    upcaster `twin` is unchanged: version 1 has the same bytes
    uploaded projection `tally`, version 1
    error: the versions are stored, and none of them is deployed: The upcaster conflicts with another one
      - upcasters `arrivals` and `twin` both rewrite `FlightArrived` from schema version 1
      see <host>/errors/upcaster_conflict
    ");
    assert_eq!(run(&host, &["projections"]).await.err, "no projections; `gnomon deploy` uploads one\n");

    let deployed = run(&host, &["deploy", &tally, &ledger, &upcaster, "--no-wait"]).await;
    insta::assert_snapshot!(deployed.err, @r"
    projection `tally` is unchanged: version 1 has the same bytes
    uploaded projection `ledger`, version 1
    upcaster `arrivals` is unchanged: version 1 has the same bytes
    upcaster `arrivals` is active in version 1: new builds go through it
    builds: `ledger` (build 1), `tally` (build 1)
    ");
    // The same again is the same, and waits for the same builds.
    let again = run(&host, &["deploy", &tally, &ledger, &upcaster, "--json"]).await;
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(
        again["builds"],
        json!([
            {"projection": "ledger", "build": 1, "state": "active", "checkpoint": 0},
            {"projection": "tally", "build": 1, "state": "active", "checkpoint": 0},
        ])
    );

    // Each new build is compared, and activated after the question.
    let next = write("next/tally.wasm", test_support::guest("tally_next"));
    let compared = run(&host, &["deploy", &next, &upcaster, "--compare", "--yes"]).await;
    assert!(compared.err.contains("builds: `tally` (build 2)\n"), "{}", compared.err);
    assert!(
        compared.err.ends_with("queries read build 2 (version 2) of `tally`, which replaces build 1 (version 1)\n"),
        "{}",
        compared.err
    );
    assert!(compared.out.contains("tallies"), "{}", compared.out);
    assert_eq!(host.projection("tally").await["active_build"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_build_shows_its_event_its_error_and_a_command_to_see_the_event() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    host.append_one("count-1", "Counted", json!({"n": 1})).await;
    host.append_one("count-2", "Counted", json!({"n": 2, "poison": true})).await;

    let deploy = Said::from(host.try_run(&["deploy", &component(&folder, "tally")]).await);
    assert_eq!(deploy.code, Some(1));
    insta::assert_snapshot!(deploy.err, @r"
    uploaded projection `tally`, version 1
    error: build 1 of `tally` (version 1) halted at position 2: its module could not handle the event
      event    Counted of stream count-2
      message  Counted: it is poison
      see it   gnomon events --after 1 --limit 1
    ");
    let shown = run(&host, &["projections", "tally"]).await.out;
    insta::assert_snapshot!(shown, @r"
    PROJECTION  BUILD  VERSION  STATE   POSITION  HEAD  LAG  EVENTS/S  LEFT
    tally           1        1  halted         1     2    1         0

    tables: tallies
    on failure: halt

    build 1 (version 1) reads these types of events from streams of count:
    TYPE     HANDLED
    Counted        1

    build 1 of `tally` (version 1) halted at position 2: its module could not handle the event
      event    Counted of stream count-2
      message  Counted: it is poison
      see it   gnomon events --after 1 --limit 1
    ");
    let event = run(&host, &["events", "--after", "1", "--limit", "1"]).await.out;
    assert!(event.contains("\"poison\":true"), "the advice leads to the event: {event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn misspelt_types_and_streams_are_noted_at_the_append_and_shown_with_the_projection() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    run(&host, &["deploy", &component(&folder, "tally")]).await;
    let append = async |stream: &str, event_type: &str| {
        run(&host, &["append", stream, "--type", event_type, "--data", r#"{"n": 1}"#]).await.err
    };
    assert_eq!(append("count-1", "Counted").await, "");
    assert_eq!(append("account-1", "Counted").await, "", "nothing resembles it");
    assert_eq!(
        append("count-1", "Conuted").await,
        "note: no projection reads `Conuted`; `tally` reads `Counted`: did you mean that?\n"
    );
    assert_eq!(
        append("conut-1", "Counted").await,
        "note: no projection reads `Counted` of stream `conut-1`; `tally` reads streams `count-…`: did you mean that?\n"
    );
    host.rows_at("tally/tallies", 4).await;
    let shown = run(&host, &["projections", "tally"]).await.out;
    let (_, reading) = shown.split_once("\n\nbuild 1").unwrap();
    insta::assert_snapshot!(format!("build 1{reading}"), @r"
    build 1 (version 1) reads these types of events from streams of count:
    TYPE     HANDLED
    Counted        1
    it passes over Counted of category `conut`: did you mean a stream `count-…`?
    it passes over Conuted of category `count`: did you mean `Counted`?
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_module_is_refused_with_every_reason() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.wasm");
    fs::write(&text, "no component").unwrap();
    insta::assert_snapshot!(refused(&host, &["deploy", text.to_str().unwrap()]).await, @r"
    error: The component is not a module that this host can run
      - it is not WebAssembly: it begins with 6e 6f 20 63, not with 00 61 73 6d
      see <host>/errors/invalid_module
    ");
    let sockets = component(&folder, "import_sockets");
    let error = refused(&host, &["deploy", &sockets]).await;
    assert!(
        error.starts_with("error: The component is not a module that this host can run\n  - it imports `wasi:sockets/"),
        "{error}"
    );
    assert!(
        error.contains("\n  - it imports `wasi:sockets/tcp@") && error.contains(", which modules may not import"),
        "{error}"
    );
    let name = refused(&host, &["deploy", text.to_str().unwrap(), "--name", "No-Name"]).await;
    assert!(name.starts_with("error: --name is not a valid name of a module: the name `No-Name`"), "{name}");
    assert_eq!(run(&host, &["modules"]).await.out, "");
}
