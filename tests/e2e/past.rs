//! The past of streams, told by several hosts.

use gnomon::postgres::test_database::TestDatabase;
use serde_json::{Value, json};

use crate::support::{Host, until};

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_snapshots_and_one_that_is_killed_takes_none_away() {
    let database = TestDatabase::create().await;
    let first = Host::start_with(&database, &["--snapshot-every", "10"]).await;
    first.deploy("baskets", test_support::guest("baskets"), "").await;
    let event = |event_type: &str, data: Value| json!({"stream": "basket-1", "type": event_type, "data": data});
    let added = |number: usize| event("Added", json!({"item": format!("item {}", number % 3), "count": 1}));
    let mut lines: Vec<Value> = (0..50).map(added).collect();
    lines.push(event("Removed", json!({"item": "item 1"})));
    first.import(lines.iter().map(|line| format!("{line}\n")).collect()).await;

    let path = "/v1/streams/basket-1/state?projection=baskets&at_version=50";
    let told = first.json(path).await;
    let items: Vec<&Value> = told["tables"]["items"].as_array().unwrap().iter().map(|item| &item["count"]).collect();
    assert_eq!(items, [17, 17, 16]);
    until("the snapshots are there", async || first.json(path).await["snapshot"] == 50).await;

    let second = Host::start(&database).await;
    drop(first);
    let again = second.json(path).await;
    assert_eq!(
        (&again["snapshot"], &again["events_folded"], &again["tables"]),
        (&json!(50), &json!(0), &told["tables"])
    );
    let page = second.json("/v1/streams/basket-1/history?projection=baskets&direction=backward&limit=1").await;
    assert_eq!((&page["snapshot"], &page["events_folded"]), (&json!(50), &json!(1)));
    let changes = page["events"][0]["changes"].as_array().unwrap();
    let removed = changes.iter().find(|change| change["table"] == "items").unwrap();
    assert_eq!((&removed["before"]["count"], &removed["after"]), (&json!(17), &Value::Null));
    let verified = second.post("/v1/projections/baskets/snapshots/verify").await.body;
    assert_eq!((&verified["snapshots"], &verified["wrong_snapshots"]), (&json!(5), &json!([])));
}
