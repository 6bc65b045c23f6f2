//! Who appends, in the metadata of what is appended.

use super::*;
use crate::access::{AccessSettings, Authentication};

async fn naming(authentication: Authentication) -> TestApi {
    let database = TestDatabase::create().await;
    let access = AccessSettings { authentication, ..AccessSettings::default() };
    let settings = ServerSettings { access, ..ServerSettings::default() };
    let host = TestHost::start_with(&database, settings).await;
    let http = HttpSettings { actor_in_metadata: true, ..HttpSettings::default() };
    TestApi { _database: Some(database), ..TestApi::of(host, http) }
}

async fn post(api: &TestApi, path: &str, token: &str, content_type: &str, body: &str) -> Answer {
    let request = Request::builder().method("POST").uri(path).header(header::CONTENT_TYPE, content_type);
    let request =
        if token.is_empty() { request } else { request.header(header::AUTHORIZATION, format!("Bearer {token}")) };
    api.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_append_names_who_appends() {
    let api = naming(Authentication::Tokens).await;
    let token = api.token(&["append", "read:events"]).await;
    let json = "application/json";
    let cloud_event = r#"{"specversion": "1.0", "id": "1", "source": "/a", "type": "T", "data": 1}"#;
    for (path, content_type, body) in [
        ("/v1/streams/a-1/events", json, r#"{"events": [{"type": "T", "data": 1}]}"#),
        ("/v1/streams/a-1/events", json, r#"{"events": [{"type": "T", "data": 1, "metadata": {"a": 1}}]}"#),
        ("/v1/events", json, r#"{"appends": [{"stream": "a-1", "events": [{"type": "T", "data": 1}]}]}"#),
        ("/v1/events", json, r#"{"appends": [{"events": [{"type": "T", "data": 1, "tags": ["a:1"]}]}]}"#),
        ("/v1/events", "application/x-ndjson", r#"{"stream": "a-1", "type": "T", "data": 1, "metadata": null}"#),
        ("/v1/streams/a-1/events", "application/cloudevents+json", cloud_event),
        (
            "/v1/streams/a-2/events",
            "application/cloudevents-batch+json",
            &format!("[{cloud_event}]").replace("/a", "/b"),
        ),
    ] {
        let answer = post(&api, path, &token, content_type, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{body} {}", answer.text());
    }
    let mut binary = Request::builder().method("POST").uri("/v1/streams/a-3/events");
    for (name, value) in [("ce-specversion", "1.0"), ("ce-id", "2"), ("ce-source", "/a"), ("ce-type", "T")] {
        binary = binary.header(name, value);
    }
    let binary = binary.header(header::AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(api.send(binary.body(Body::empty()).unwrap()).await.status, StatusCode::CREATED);

    let request = Request::builder().uri("/v1/events").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let log = api.send(request.body(Body::empty()).unwrap()).await.json();
    let events = log["events"].as_array().unwrap();
    assert_eq!(events.len(), 8, "{log}");
    assert!(events.iter().all(|event| event["metadata"]["actor"] == "token t0"), "{log}");
    assert_eq!(events[1]["metadata"], json!({"a": 1, "actor": "token t0"}));
    assert!(events[7]["metadata"]["cloudevent"].is_object(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_does_not_say_it_itself_and_nothing_is_appended_then() {
    let api = naming(Authentication::Open).await;
    let own = r#"{"type": "T", "data": 1, "metadata": {"actor": "token root"}}"#;
    for (path, content_type, body, field) in [
        ("/v1/streams/a-1/events", "application/json", format!("{{\"events\": [{own}]}}"), "events[0].metadata.actor"),
        (
            "/v1/events",
            "application/json",
            format!("{{\"appends\": [{{\"stream\": \"a-1\", \"events\": [{own}]}}]}}"),
            "appends[0].events[0].metadata.actor",
        ),
        (
            "/v1/events",
            "application/x-ndjson",
            own.replace("{\"type\"", "{\"stream\": \"a-1\", \"type\""),
            "metadata.actor",
        ),
    ] {
        let answer = post(&api, path, "", content_type, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!((&answer.json()["code"], &answer.json()["field"]), (&json!("invalid_body"), &json!(field)));
    }
    assert!(api.is_empty().await);
    // Whoever reaches an open host is anyone.
    post(&api, "/v1/streams/a-1/events", "", "application/json", r#"{"events": [{"type": "T", "data": 1}]}"#).await;
    assert_eq!(api.get("/v1/events").await.json()["events"][0]["metadata"], json!({"actor": "anyone"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_told_to_names_nobody() {
    let api = TestApi::start().await;
    let own = json!({"events": [{"type": "T", "data": 1, "metadata": {"actor": "ada"}}, {"type": "T", "data": 2}]});
    assert_eq!(api.append("a-1", own).await.status, StatusCode::CREATED);
    let log = api.get("/v1/events").await.json();
    assert_eq!(log["events"][0]["metadata"], json!({"actor": "ada"}));
    assert_eq!(log["events"][1]["metadata"], json!(null));
}
