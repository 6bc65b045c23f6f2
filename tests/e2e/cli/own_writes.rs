//! Queries show what the same user has appended, `append --wait` waits, and what is there to query is listed.

use std::fs;

use gnomon::postgres::test_database::TestDatabase;
use serde_json::Value;

use super::{Said, run};
use crate::support::Host;

async fn tally(database: &TestDatabase) -> (Host, u64) {
    let host = Host::start(database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    (host, build)
}

async fn append(host: &Host, data: &str, arguments: &[&str]) -> Said {
    let append = ["append", "count-1", "--type", "Counted", "--data", data];
    Said::from(host.try_run(&[&append, arguments].concat()).await)
}

/// The number of events that the row of stream `count-1` holds.
async fn events(host: &Host, arguments: &[&str]) -> (Option<u64>, String) {
    let said = run(host, &[&["query", "tally", "tallies", "stream=eq.1", "--json"], arguments].concat()).await;
    let rows: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    (rows.first().map(|row| row["events"].as_u64().unwrap()), said.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_shows_what_was_appended_before_it_each_time() {
    let database = TestDatabase::create().await;
    let (host, _) = tally(&database).await;
    for number in 1..=20 {
        append(&host, r#"{"n": 1}"#, &[]).await;
        // Five minutes, so that a slow machine does not fail the test.
        let (found, err) = events(&host, &["--wait", "300"]).await;
        assert_eq!(found, Some(number), "{err}");
    }
    let file = host.state().join("events.jsonl");
    fs::write(&file, "{\"stream\":\"count-1\",\"type\":\"Counted\",\"data\":{\"n\":1}}\n".repeat(500)).unwrap();
    run(&host, &["import", file.to_str().unwrap()]).await;
    assert_eq!(events(&host, &["--wait", "300"]).await.0, Some(520));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_has_stopped_is_not_waited_for() {
    let database = TestDatabase::create().await;
    let (host, build) = tally(&database).await;
    append(&host, r#"{"n": 1}"#, &["--wait", "tally", "--timeout", "300"]).await;
    let poisoned = append(&host, r#"{"n": 1, "poison": true}"#, &[]).await;
    assert_eq!(poisoned.code, Some(0), "{}", poisoned.err);
    host.until_state("tally", build, "halted").await;
    // It would be longer than the test may take.
    let (found, err) = events(&host, &["--wait", "3000"]).await;
    assert_eq!(found, Some(1));
    let note = "note: the rows may lack what you have appended last, at position 2: `tally` is at position 1: build ";
    assert!(err.starts_with(note) && err.contains("halted at position 2") && err.contains("it is poison"), "{err}");
    assert!(err.ends_with("1 row at position 1\n"), "{err}");

    let said = append(&host, r#"{"n": 1}"#, &["--wait", "tally", "--timeout", "3000"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), "count-1 version 3, position 3\n"), "{}", said.err);
    let error = "error: the event is in the log, at position 3, and queries do not show it yet: `tally` is at position 1: build ";
    assert!(said.err.starts_with(error), "{}", said.err);
    // A position that the user names is not a wish.
    let asked = ["query", "tally", "tallies", "--min-position", "3", "--wait", "3000"];
    let said = Said::from(host.try_run(&asked).await);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("and not yet at 3"), "{}", said.err);

    host.post("/v1/projections/tally/pause").await;
    let (found, err) = events(&host, &["--no-wait"]).await;
    assert_eq!((found, err.as_str()), (Some(1), "1 row at position 1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_projection_is_refused_before_anything_is_appended() {
    let database = TestDatabase::create().await;
    let (host, _) = tally(&database).await;
    let said = append(&host, "{}", &["--wait", "taly"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.starts_with("error: there is no projection `taly`\n"), "{}", said.err);
    assert_eq!(host.head().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_replaced_is_not_waited_for() {
    let database = TestDatabase::create().await;
    let (host, _) = tally(&database).await;
    append(&host, r#"{"n": 1}"#, &[]).await;
    let file = host.state().join("gnomon/last-appends.json");
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, format!(r#"{{"hosts":[{{"url":"{}","position":1}}]}}"#, host.url()));
    // As if 1,000 events had been appended before the database was restored from a backup.
    fs::write(&file, written.replace(":1}", ":1000}")).unwrap();
    let (found, err) = events(&host, &["--wait", "300"]).await;
    assert_eq!((found, err.as_str()), (Some(1), "1 row at position 1\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), written);
    // What cannot be read is as if nothing were known, and what cannot be written stops nothing.
    for damaged in ["", "{\"hosts\": 7}", "\0"] {
        fs::write(&file, damaged).unwrap();
        run(&host, &["query", "tally", "tallies"]).await;
    }
    fs::remove_dir_all(host.state()).unwrap();
    fs::write(host.state(), "a file, not a folder").unwrap();
    assert_eq!(append(&host, r#"{"n": 1}"#, &[]).await.code, Some(0));
    run(&host, &["query", "tally", "tallies"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_table_the_tables_are_listed() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    assert_eq!(run(&host, &["query"]).await.err, "no read models; `gnomon deploy` uploads a projection\n");
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let all = run(&host, &["query"]).await;
    insta::assert_snapshot!(all.out, @r"
    PROJECTION  TABLE    COLUMNS                                              VIEW
    tally       tallies  stream* text, sum i64, events i64, last_version i64  read_models.tally_tallies
    ");
    let one = run(&host, &["query", "tally"]).await;
    insta::assert_snapshot!(one.out, @r"
    Modules made to misbehave, for tests of the host

    tallies (read_models.tally_tallies): The sum of a stream's numbers.
    COLUMN        TYPE  DESCRIPTION
    stream*       text
    sum           i64
    events        i64
    last_version  i64
    index by_sum on sum
    ");
    let listed: Value = serde_json::from_str(&run(&host, &["query", "tally", "--json"]).await.out).unwrap();
    assert_eq!(listed["tables"][0]["links"]["rows"], "/v1/read-models/tally/tallies");
    let said = Said::from(host.try_run(&["query", "nobody"]).await);
    assert!(said.err.starts_with("error: there is no projection `nobody`\n"), "{}", said.err);
    assert_eq!(Said::from(host.try_run(&["query", "tally", "--limit", "1"]).await).code, Some(2));
}
