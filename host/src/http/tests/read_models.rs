//! What there is to read.

use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::builds::{Work, tests::TestBuilds};

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_listed_with_their_tables() {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build(1, &["n"]).await;
    builds.live(build).await;
    builds.activate(build, &tables).await;
    // The host of the API does not work on it.
    builds.set(build, |kept| kept.work = Work::Paused).await;
    let api = TestApi::on(&builds.database).await;
    let all = api.get("/v1/read-models").await;
    assert_snapshot!(all.pretty());
    let one = api.get("/v1/read-models/totals").await;
    assert_eq!((&one.json(), one.header("gnomon-position")), (&all.json()["read_models"][0], "0"));
    let rows = one.json()["tables"][0]["links"]["rows"].as_str().unwrap().to_owned();
    let rows = api.get(&rows).await;
    assert_eq!((rows.status, rows.header("gnomon-build")), (StatusCode::OK, "1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_nothing_fills_yet_has_its_tables() {
    let builds = TestBuilds::create().await;
    let (build, _) = builds.build(1, &["n"]).await;
    builds.set(build, |kept| kept.work = Work::Paused).await;
    let waiting = TestApi::on(&builds.database).await.get("/v1/read-models/totals").await;
    assert_eq!((&waiting.json()["active_build"], &waiting.json()["tables"][0]["name"]), (&Value::Null, &json!("sums")));
    assert_eq!(waiting.header("gnomon-position"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_that_does_not_exist_is_refused_as_its_tables_are() {
    let api = TestApi::start().await;
    assert_eq!(api.get("/v1/read-models").await.json(), json!({"read_models": []}));
    for path in ["/v1/read-models/nobody", "/v1/read-models/nobody/sums"] {
        let answer = api.get(path).await;
        assert_eq!(answer.problem(), "404 PGRST205: there is no projection `nobody`", "{path}");
        assert_eq!(answer.json()["type"], json!("/errors/projection_not_found"));
    }
}

/// Also those that are found before the read model is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn every_error_has_the_fields_of_postgrest() {
    let api = TestApi::start().await;
    for (path, code) in [
        ("/v1/read-models?x=1", "invalid_query"),
        ("/v1/read-models/bank?x=1", "invalid_query"),
        ("/v1/read-models/Bank", "invalid_path"),
        ("/v1/read-models/Bank/accounts", "invalid_path"),
        ("/v1/read-models/bank/accounts", "PGRST205"),
    ] {
        let error = api.get(path).await.json();
        assert_eq!((&error["code"], &error["message"]), (&json!(code), &error["detail"]), "{path}");
        for name in ["details", "hint"] {
            assert!(error.get(name).is_some(), "{path}: {name}");
        }
    }
    // What is refused at the door, or is not there, as well.
    for (method, path, host, code) in [
        ("GET", "/v1/read-models/bank/accounts", "evil.example", "host_not_allowed"),
        ("GET", "/v1/read-models/bank/accounts/7", "localhost", "PGRST125"),
        ("POST", "/v1/read-models/bank/rpc/add", "localhost", "PGRST202"),
        ("DELETE", "/v1/read-models/bank/accounts", "localhost", "PGRST117"),
        ("PUT", "/v1/read-models", "localhost", "PGRST117"),
        ("OPTIONS", "/v1/read-models/bank/accounts", "localhost", "PGRST205"),
        ("POST", "/v1/read-models/bank/accounts/query", "localhost", "unsupported_media_type"),
    ] {
        let request = Request::builder().method(method).uri(path).header("host", host).body(Body::empty()).unwrap();
        let answer = api.send(request).await;
        let error = answer.json();
        assert_eq!((error["code"].as_str(), answer.status.is_client_error()), (Some(code), true), "{method} {path}");
        assert_eq!(answer.header("proxy-status"), format!("PostgREST; error={code}"));
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        for name in ["message", "details", "hint"] {
            assert!(error.get(name).is_some(), "{method} {path}: {name}");
        }
    }
    assert_eq!(api.get("/v1/nowhere").await.header("proxy-status"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_the_log_does_not_have_is_not_waited_for() {
    let builds = TestBuilds::create().await;
    let (build, tables) = builds.build(1, &["n"]).await;
    builds.live(build).await;
    builds.activate(build, &tables).await;
    builds.set(build, |kept| kept.work = Work::Paused).await;
    let api = TestApi::on(&builds.database).await;
    api.append("a-1", json!({"events": [event("X"), event("X")]})).await;
    let asking = async |path: &str, position: &str, wait: &str| {
        let request = Request::get(path).header("gnomon-min-position", position).header("prefer", wait);
        let answer = api.send(request.body(Body::empty()).unwrap());
        tokio::time::timeout(Duration::from_secs(50), answer).await.expect("the host does not wait")
    };
    for path in ["/v1/read-models/totals", "/v1/read-models/totals/sums"] {
        let beyond = asking(path, "3", "wait=60").await;
        assert!(
            beyond
                .problem()
                .starts_with("409 position_beyond_head: the reader has seen position 3, but the log ends at 2:")
        );
        assert_eq!((&beyond.json()["after"], &beyond.json()["head"]), (&json!(3), &json!(2)));
        let behind = asking(path, "2", "wait=0").await;
        let detail = "projection `totals` is at position 0, and not yet at 2: build 1 is paused at position 0; queries read that build";
        assert_eq!(behind.problem(), format!("503 read_model_behind: {detail}"));
    }
}
