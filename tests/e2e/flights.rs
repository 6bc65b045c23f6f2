//! Real events are appended over HTTP, and the read models are the tables that other programs computed.

use gnomon::postgres::test_database::TestDatabase;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{FLIGHT_TABLES, Host, deploy_flights, deploy_upcaster, fingerprint_of, week, week_ndjson};

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_flights_becomes_the_tables_that_others_computed() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    deploy_upcaster(&host).await;
    // One module before the events, two after: following and replaying give the same rows.
    host.deploy("punctuality", test_support::component("punctuality"), "").await;
    let events = week();
    let answer = host.import(week_ndjson(&events)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let all = json!({"imported": 18262, "repeated": 0, "first_position": 1, "last_position": 18262});
    assert_eq!(answer.body, all);
    deploy_flights(&host).await;
    for name in ["punctuality", "flights", "fleet"] {
        let build = host.projection(name).await["builds"][0]["build"].as_u64().unwrap();
        host.until_state(name, build, "active").await;
    }
    for (projection, table, columns, rows, fingerprint) in FLIGHT_TABLES {
        let found = fingerprint_of(&host, projection, table, columns, 18262).await;
        assert_eq!(found, (rows, fingerprint.to_owned()), "{table}");
    }

    // A repeated import changes nothing.
    let again = host.import(week_ndjson(&events)).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.body["repeated"], 18262);
    assert!(host.stop().await, "the host exits with 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_continues_where_another_one_stopped() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    deploy_upcaster(&host).await;
    deploy_flights(&host).await;
    let events = week();
    let (first, second) = events.split_at(9000);
    host.import(week_ndjson(first)).await;
    assert!(host.stop().await);

    let host = Host::start(&database).await;
    assert_eq!(host.import(week_ndjson(second)).await.body["first_position"], 9001);
    for (projection, table, columns, rows, fingerprint) in FLIGHT_TABLES {
        let found = fingerprint_of(&host, projection, table, columns, 18262).await;
        assert_eq!(found, (rows, fingerprint.to_owned()), "{table}");
    }
}
