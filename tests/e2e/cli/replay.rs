//! `replay` and `verify --stream`: the past of a stream, as text.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use super::{Said, refused, run};
use crate::support::Host;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_replayed_and_checked() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    host.deploy("tally", test_support::guest("tally_by_stream"), "").await;
    let mut position = 0;
    for n in [2, 40, 3] {
        position = host.append_one("count-1", "Counted", json!({ "n": n })).await;
    }
    assert_eq!(host.rows_at("tally/tallies", position).await.len(), 1);
    let said = run(&host, &["replay", "count-1"]).await;
    assert_eq!(said.err, "told by tally version 1 (build 1)\n");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("1 Counted ") && lines[0].ends_with(r#" {"n":2}"#), "{}", said.out);
    assert_eq!(lines[1], r#"    tallies + {"stream":"1","sum":2,"events":1,"last_version":1}"#);
    assert_eq!(lines[3], "    tallies ~ sum 2 → 42, events 1 → 2, last_version 1 → 2");
    assert_eq!(lines[6..], ["after version 3", r#"    tallies {"stream":"1","sum":45,"events":3,"last_version":3}"#]);

    let part =
        run(&host, &["replay", "count-1", "--projection", "tally", "--version", "1", "--after", "1", "--at", "2"]);
    let part = part.await.out;
    assert!(part.starts_with("2 Counted ") && part.lines().count() == 4, "{part}");
    assert!(part.contains("after version 2\n"), "{part}");
    let none = run(&host, &["replay", "count-1", "--at", "0"]).await.out;
    assert_eq!(none, "before the first event\n    tallies has no row\n");
    let json = run(&host, &["replay", "count-1", "--json"]).await.out;
    let events: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((events.len(), &events[2]["changes"][0]["after"]["sum"]), (3, &json!(45)));

    let none = refused(&host, &["replay", "count-1", "--at", "4"]).await;
    assert!(none.starts_with("error: stream `count-1` ends at version 3, and version 4 is asked for"), "{none}");
    let none = refused(&host, &["replay", "count-2"]).await;
    assert!(none.starts_with("error: there is no stream `count-2`"), "{none}");

    let verified = run(&host, &["verify", "tally", "--stream", "count-1"]).await.out;
    assert_eq!(
        verified,
        "identical: build 1 (version 1) of `tally`, stream count-1\n1 row and 0 snapshots at position 3, from 3 events\n"
    );
    sqlx::query("UPDATE read_models.tally_tallies SET sum = 7").execute(&database.pool().await).await.unwrap();
    let differs = Said::from(host.try_run(&["verify", "tally", "--stream", "count-1"]).await);
    assert!(differs.code == Some(1) && differs.out.starts_with("different: build 1"), "{}", differs.out);
    let differs = differs.err;
    assert!(differs.contains("1 row of the stream is not what its events give"), "{differs}");

    // Behind an event that cannot be handled nothing is told, but what came before is shown.
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    let stopped = Said::from(host.try_run(&["replay", "count-1"]).await);
    assert!(
        stopped.code == Some(1) && stopped.out.contains("cannot be handled; nothing behind it is folded"),
        "{}",
        stopped.out
    );
    let stopped = stopped.err;
    assert!(stopped.contains("cannot handle version 4 of stream `count-1`"), "{stopped}");
    host.deploy("other", test_support::guest("tally"), "").await;
    let which = refused(&host, &["replay", "count-1"]).await;
    assert!(which.starts_with("error: which projection? Name one with --projection: other, tally"), "{which}");
    let refused_by = refused(&host, &["replay", "count-1", "--projection", "other"]).await;
    assert!(refused_by.contains("does not say that each of its rows depends on one stream only"), "{refused_by}");
}
