//! A build is built again, aside, and compared.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Host, Load};

async fn verify(host: &Host, name: &str) -> Value {
    let begun = host.post(&format!("/v1/projections/{name}/verify")).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let by = begun.body["build"].as_u64().unwrap();
    host.until_state(name, by, "live").await;
    let result = host.get(&format!("/v1/projections/{name}/verify/{by}")).await;
    assert_eq!(result.status, StatusCode::OK, "{result:?}");
    // It was made for this alone: nothing else takes it for a build of the projection.
    let activated = host.post(&format!("/v1/projections/{name}/activate?build={by}")).await;
    assert_eq!((activated.status, &activated.body["code"]), (StatusCode::CONFLICT, &json!("wrong_build_state")));
    let gone = host.send(host.request(Method::DELETE, &format!("/v1/projections/{name}/builds/{by}"))).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    result.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_keeps_the_rules_is_identical_while_events_come_in() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let load = Load::start(host.url(), "tally/tallies", 1, 4);
    let result = verify(&host, "tally").await;
    load.stop().await;
    assert_eq!(result["identical"], true, "{result}");
    assert_eq!(result["verified"], json!({"build": build, "version": 1}));
    assert_eq!(result["content_hash"].as_str().unwrap().len(), 64, "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_keeps_hidden_state_is_caught() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let events = (0..1000).map(|_| json!({"stream": "any-1", "type": "Happened", "data": {}}));
    host.import(events.map(|event| format!("{event}\n")).collect()).await;
    let build = host.deploy("remembers", test_support::guest("remembers"), "").await;
    host.until_state("remembers", build, "active").await;
    let result = verify(&host, "remembers").await;
    assert_eq!((&result["identical"], &result["content_hash"]), (&json!(false), &Value::Null), "{result}");
    let notes = &result["tables"][0];
    assert_eq!((&notes["rows_left"], &notes["rows_right"]), (&json!(1000), &json!(1000)), "{notes}");
    assert!(notes["changed"].as_u64().unwrap() > 500, "{notes}");
}
