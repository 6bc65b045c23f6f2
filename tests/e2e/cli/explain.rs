//! `explain`: what became of an event, as text.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::json;

use super::{refused, run};
use crate::support::Host;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_explained() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    for n in [2, 40] {
        host.append_one("count-1", "Counted", json!({ "n": n })).await;
    }
    host.append_one("other-1", "Counted", json!({"n": 1})).await;
    host.append_one("count-1", "Counted", json!({"n": 1, "poison": true})).await;
    host.until_state("tally", build, "halted").await;
    let said = run(&host, &["explain", "2"]).await.out;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("position 2: Counted 1 of stream count-1, version 2, recorded "), "{said}");
    assert_eq!(lines[1], r#"  data      {"n":40}"#);
    assert_eq!(lines[3], "tally build 1 (version 1, halted, checkpoint 3): has handled it");
    assert!(
        lines[4].starts_with("  changes   1 row in ")
            && lines[4].ends_with("over a replay of all 1 event before it that the build reads"),
        "{said}"
    );
    assert_eq!(lines[5], r#"            tallies ~ {"stream":"1","sum":2,"events":1,"last_version":1}"#);
    assert_eq!(lines[6].trim(), r#"→ {"stream":"1","sum":42,"events":2,"last_version":2}"#);
    let said = run(&host, &["explain", "3"]).await.out;
    assert!(said.contains("passes over it, since it reads no streams of this category"), "{said}");
    let said = run(&host, &["explain", "4"]).await.out;
    assert!(said.contains("has stopped at it") && said.contains("refused: Counted: it is poison"), "{said}");
    assert!(said.contains("over the rows of checkpoint 3 and the 0 events between"), "{said}");
    let said = run(&host, &["explain", "2", "--no-fold"]).await.out;
    assert!(!said.contains("changes"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&run(&host, &["explain", "2", "--json"]).await.out).unwrap();
    assert_eq!(json["builds"][0]["fold"]["changes"][0]["after"]["sum"], 42);
    let none = refused(&host, &["explain", "5"]).await;
    assert!(none.starts_with("error: there is no event at position 5; the newest is at 4"), "{none}");
    let none = refused(&host, &["explain", "2", "--projection", "nobody"]).await;
    assert!(none.starts_with("error: there is no projection `nobody`"), "{none}");
}
