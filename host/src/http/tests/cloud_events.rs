//! CloudEvents in.

use super::*;

const ONE: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=UTF-8";
const PATH: &str = "/v1/streams/account-7/events";

async fn post(api: &TestApi, media_type: &str, body: &Value) -> Answer {
    let request = Request::post(PATH).header(header::CONTENT_TYPE, media_type);
    api.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn post_expecting(api: &TestApi, expected: &str, event: &Value) -> Answer {
    let request = Request::post(format!("{PATH}?expected_version={expected}")).header(header::CONTENT_TYPE, ONE);
    api.send(request.body(Body::from(event.to_string())).unwrap()).await
}

/// The headers that each CloudEvent in binary mode has.
const BINARY: [(&str, &str); 4] =
    [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/tellers/7"), ("ce-type", "Opened")];

async fn post_binary(api: &TestApi, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::post(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::from(body.to_owned())).unwrap()).await
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

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_expects_a_version_by_a_parameter() {
    let api = TestApi::start().await;
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "/a", "type": "A"});
    assert_eq!(post_expecting(&api, "no_stream", &event("1")).await.status, StatusCode::CREATED);
    let conflict = post_expecting(&api, "no_stream", &event("2")).await;
    assert!(conflict.problem().starts_with("409 wrong_expected_version: "), "{}", conflict.problem());
    assert_eq!(conflict.json()["current_version"], json!(1));
    assert_eq!(post_expecting(&api, "1", &event("2")).await.json()["last_version"], json!(2));
    // A repeat is one, whatever is expected.
    assert_eq!(post_expecting(&api, "1", &event("2")).await.status, StatusCode::OK);
    assert_eq!(post_expecting(&api, "any", &event("3")).await.status, StatusCode::CREATED);
    let binary = Request::post(format!("{PATH}?expected_version=2"));
    let binary = BINARY.iter().fold(binary, |request, (name, value)| request.header(*name, *value));
    let conflict = api.send(binary.body(Body::empty()).unwrap()).await;
    assert_eq!(conflict.json()["current_version"], json!(3), "{}", conflict.problem());
    for wrong in ["some", "-1", "1.5", ""] {
        assert_eq!(
            post_expecting(&api, wrong, &event("4")).await.problem(),
            format!(
                "400 invalid_query: query string: `expected_version` must be `any`, `no_stream` or a version of the stream; it is `{wrong}`"
            )
        );
    }
    // A body that has a member for it has no other place for it.
    let plain = Request::post(format!("{PATH}?expected_version=3")).header(header::CONTENT_TYPE, "application/json");
    let body = json!({"events": [{"type": "A", "data": {}}]}).to_string();
    let refused = api.send(plain.body(Body::from(body)).unwrap()).await.problem();
    assert!(
        refused.starts_with("400 invalid_query: query string: `expected_version` is a parameter for Cloud"),
        "{refused}"
    );
    assert_eq!(events(&api).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_in_binary_mode_is_the_same_as_in_structured_mode() {
    let api = TestApi::start().await;
    let id = "0190f3c2-0000-7000-8000-000000000001";
    let json = ("content-type", "application/json");
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", id),
        ("ce-source", "/tellers/7"),
        ("ce-type", "Opened"),
        ("ce-time", "2013-01-01T10:17:00+01:00"),
        ("ce-subject", "Z%C3%BCrich%207"),
        ("ce-partitionkey", "\"a b\""),
        json,
    ];
    // The text of the data stays as it is.
    assert_eq!(post_binary(&api, &headers, "{\"amount\":  1.50}").await.status, StatusCode::CREATED);
    let structured = format!(
        r#"{{"specversion": "1.0", "id": "{id}", "source": "/tellers/7", "type": "Opened", "time": "2013-01-01T09:17:00Z",
            "subject": "Zürich 7", "partitionkey": "a b", "datacontenttype": "application/json", "data": {{"amount":  1.50}}}}"#
    );
    let request = Request::post(PATH).header(header::CONTENT_TYPE, ONE).body(Body::from(structured)).unwrap();
    assert_eq!(api.send(request).await.status, StatusCode::OK, "it is the same event");
    let found = &events(&api).await[0];
    assert_eq!((&found["id"], &found["type"]), (&json!(id), &json!("Opened")));
    assert_eq!(found["time"], "2013-01-01T09:17:00Z");
    assert_eq!(found["metadata"]["cloudevent"]["subject"], "Zürich 7");

    // Any JSON is data, and none is null.
    let mut others = BINARY;
    for (event, media_type, body, data) in [
        ("2", json.1, "[1, null]", json!([1, null])),
        ("3", "application/vnd.shop+json; charset=utf-8", "\u{feff}\"text\" ", json!("text")),
        ("4", "text/plain", "", Value::Null),
    ] {
        others[1] = ("ce-id", event);
        let answer = post_binary(&api, &[&others[..], &[("content-type", media_type)]].concat(), body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{body}");
        assert_eq!(events(&api).await.last().unwrap()["data"], data);
    }
    others[1] = ("ce-id", "5");
    assert_eq!(post_binary(&api, &others, "{\"a\": 1}").await.status, StatusCode::CREATED);
    assert_eq!(events(&api).await.last().unwrap()["data"], json!({"a": 1}));
    assert_eq!(
        events(&api).await.last().unwrap()["metadata"],
        json!({"cloudevent": {"id": "5", "source": "/tellers/7"}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_cloud_event_in_binary_mode_is_refused_with_its_header() {
    let api = TestApi::start().await;
    let json = ("content-type", "application/json");
    for (name, _) in BINARY {
        let rest: Vec<_> = BINARY.into_iter().filter(|(other, _)| *other != name).chain([json]).collect();
        let expected = format!("400 invalid_header: {name}: the header is missing; a CloudEvent in binary mode has it");
        assert_eq!(post_binary(&api, &rest, "{}").await.problem(), expected);
    }
    let long = "A".repeat(256);
    for (name, value, problem) in [
        ("ce-specversion", "0.3", "ce-specversion: it must be `1.0`"),
        ("ce-id", "", "ce-id: it must not be empty"),
        ("ce-source", "%FF", "ce-source: it is not UTF-8"),
        ("ce-type", "a%0A", "ce-type: "),
        ("ce-time", "soon", "ce-time: "),
        ("ce-datacontenttype", "text/plain", "ce-datacontenttype: in binary mode it is the header Content-Type"),
        ("ce-data", "1", "ce-data: in binary mode the data is the body"),
        ("ce-data_base64", "AA==", "ce-data_base64: in binary mode the data is the body"),
        ("ce-my_own", "1", "ce-my_own: the name of an attribute has lowercase letters and digits only"),
    ] {
        let others = BINARY.into_iter().filter(|(other, _)| *other != name);
        let headers: Vec<_> = others.chain([json, (name, value)]).collect();
        let found = post_binary(&api, &headers, "{}").await.problem();
        assert!(found.starts_with(&format!("400 invalid_header: {problem}")), "{name}: {found}");
    }
    let too_long = BINARY.map(|(name, value)| if name == "ce-type" { (name, long.as_str()) } else { (name, value) });
    let found = post_binary(&api, &[&too_long[..], &[json]].concat(), "{}").await.problem();
    assert!(found.starts_with("413 limit_exceeded: "), "{found}");
    let twice = [&BINARY[..], &[json, ("ce-id", "2")]].concat();
    assert_eq!(post_binary(&api, &twice, "{}").await.problem(), "400 invalid_header: ce-id: the header is there twice");
    let with = |media_type: &'static str| [&BINARY[..], &[("content-type", media_type)]].concat();
    let expected = "415 unsupported_media_type: Content-Type must be application/json, or a type that ends in +json, since events hold JSON; it is `text/plain`";
    assert_eq!(post_binary(&api, &with("text/plain"), "text").await.problem(), expected);
    let found = post_binary(&api, &BINARY, "text").await.problem();
    assert!(found.starts_with("400 malformed_json: "), "{found}");
    let found = post_binary(&api, &with("application/json"), "{\"a\": ").await.problem();
    assert!(found.starts_with("400 malformed_json: "), "{found}");
    // The media type says that it is not in binary mode.
    let found = post_binary(&api, &with("application/cloudevents+avro"), "{}").await.problem();
    assert!(found.starts_with("415 unsupported_media_type: "), "{found}");
    let found = post_binary(&api, &with("application/cloudevents+json"), "{}").await.problem();
    assert_eq!(found, "422 invalid_body: missing field `specversion`");
    assert!(api.is_empty().await);
}
