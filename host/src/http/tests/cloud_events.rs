//! CloudEvents in.

use super::*;

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=UTF-8";
const PATH: &str = "/v1/streams/account-7/events";

async fn post(api: &TestApi, media_type: &str, body: &Value) -> Answer {
    let request = Request::post(PATH).header(header::CONTENT_TYPE, media_type);
    api.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn events(api: &TestApi) -> Vec<Value> {
    api.get(PATH).await.json()["events"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_is_appended_once_however_often_it_comes() {
    let api = TestApi::start().await;
    let id = "0190f3c2-0000-7000-8000-000000000001";
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/tellers/7", "type": "Opened", "time": "2013-01-01T10:17:00+01:00",
        "subject": "7", "datacontenttype": "application/json", "partitionkey": "a", "sampled": 3, "data": {"owner": "Ada"},
    });
    assert_eq!(post(&api, ONE, &event).await.status, StatusCode::CREATED);
    assert_eq!(post(&api, ONE, &event).await.status, StatusCode::OK);
    let found = events(&api).await;
    assert_eq!(found.len(), 1);
    let Value::Object(found) = &found[0] else { panic!("{found:?}") };
    assert_eq!(
        (&found["id"], &found["type"], &found["time"]),
        (&json!(id), &json!("Opened"), &json!("2013-01-01T09:17:00Z"))
    );
    assert_eq!(found["data"], json!({"owner": "Ada"}));
    let attributes = json!({
        "id": id, "source": "/tellers/7", "subject": "7", "datacontenttype": "application/json", "partitionkey": "a", "sampled": 3,
    });
    assert_eq!(found["metadata"], json!({"cloudevent": attributes}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_appended_whole_and_ids_are_made_of_source_and_id() {
    let api = TestApi::start().await;
    let event = |source: &str, id: &str| json!({"specversion": "1.0", "id": id, "source": source, "type": "Opened"});
    let batch = json!([event("/a", "1"), event("/a", "2"), event("/b", "1"), event("/a1", ""), event("/", "a1")]);
    let refused = post(&api, BATCH, &batch).await.problem();
    assert_eq!(refused, "422 invalid_body: [3].id: it must not be empty");
    assert!(events(&api).await.is_empty());
    let batch = json!([event("/a", "1"), event("/a", "2"), event("/b", "1"), event("/", "a1")]);
    assert_eq!(post(&api, BATCH, &batch).await.json()["last_version"], json!(4));
    assert_eq!(post(&api, BATCH, &batch).await.status, StatusCode::OK);
    let found = events(&api).await;
    assert!(found.iter().all(|event| event["data"] == json!(null)));
    assert_eq!(post(&api, BATCH, &json!([])).await.problem(), "422 empty_append: an append needs at least one event");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_cloud_event_is_refused_with_its_place() {
    let api = TestApi::start().await;
    let good = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "A"});
    let with = |name: &str, value: Value| {
        let mut event = good.clone();
        event[name] = value;
        event
    };
    let without = |name: &str| {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(name);
        event
    };
    for (event, problem) in [
        (without("source"), "422 invalid_body: missing field `source`"),
        (without("id"), "422 invalid_body: missing field `id`"),
        (with("specversion", json!("0.3")), "422 invalid_body: specversion: it must be `1.0`"),
        (with("type", json!("")), "422 invalid_body: type: the event type must not be empty"),
        (with("source", json!("")), "422 invalid_body: source: it must not be empty"),
        (
            with("data_base64", json!("AA==")),
            "422 invalid_body: data_base64: an event holds JSON, and no bytes; give it as `data`",
        ),
        (
            with("Subject", json!("a")),
            "422 invalid_body: Subject: the name of an attribute has lowercase letters and digits only",
        ),
        (with("ext", json!({})), "422 invalid_body: ext: an attribute is a text, a number or a boolean"),
        (json!([good]), "422 invalid_body: this is a JSON array; the body must be a JSON object"),
    ] {
        assert_eq!(post(&api, ONE, &event).await.problem(), problem, "{event}");
    }
    let found = post(&api, ONE, &with("time", json!("soon"))).await.problem();
    assert!(found.starts_with("422 invalid_body: time: "), "{found}");
    let found = post(&api, BATCH, &good).await.problem();
    assert_eq!(found, "422 invalid_body: this is a JSON object; the body must be a JSON array");
    let found = post(&api, "application/cloudevents", &good).await.problem();
    assert!(found.starts_with("415 unsupported_media_type: "), "{found}");
    let twice = r#"{"specversion": "1.0", "id": "1", "source": "/a", "type": "A", "a": 1, "a": 2}"#;
    let request = Request::post(PATH).header(header::CONTENT_TYPE, ONE).body(Body::from(twice)).unwrap();
    let found = api.send(request).await.problem();
    assert!(found.contains("`a`"), "{found}");
    assert!(api.is_empty().await);
}
