//! Personal data over HTTP.

use super::*;
use crate::personal_data::KeysAt;

/// A host whose keys are in a folder.
async fn with_keys(folder: &std::path::Path) -> TestApi {
    let database = TestDatabase::create().await;
    let keys = Some(KeysAt::Folder(folder.join("keys")));
    let host =
        TestHost::start_with(&database, ServerSettings { personal_data_keys: keys, ..ServerSettings::default() });
    let api = TestApi::of(host.await, HttpSettings::default());
    TestApi { _database: Some(database), ..api }
}

async fn put(api: &TestApi, event_type: &str, declared: &Value) -> Answer {
    let request =
        Request::put(format!("/v1/personal-data/{event_type}")).header(header::CONTENT_TYPE, "application/json");
    api.send(request.body(Body::from(declared.to_string())).unwrap()).await
}

async fn delete(api: &TestApi, path: &str) -> Answer {
    api.send(Request::delete(path).body(Body::empty()).unwrap()).await
}

fn fields() -> Value {
    json!({"subjects": [{"subject": "/id", "fields": ["/name"], "forgotten": {"was": 1.50}}, {"fields": ["/note"]}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_declared_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let api = with_keys(folder.path()).await;
    for (declared, reason) in [
        (json!({"subjects": []}), "subjects: there has to be at least one"),
        (json!({"subjects": [{"fields": ["name"]}]}), "subjects[0].fields: `name` is not a JSON Pointer"),
        (json!({"subjects": [{"subject": "/a", "fields": ["/a"]}]}), "the field `/a` has the subject `/a` in it"),
    ] {
        let problem = put(&api, "Moved", &declared).await.problem();
        assert!(problem.starts_with(&format!("422 invalid_body: {reason}")), "{problem}");
    }
    let declared = put(&api, "Moved", &fields()).await;
    assert_eq!(declared.status, StatusCode::OK, "{}", declared.text());
    let expected = json!([{"subject": "/id", "fields": ["/name"], "forgotten": {"was": 1.50}}, {"subject": null, "fields": ["/note"], "forgotten": null}]);
    assert_eq!((&declared.json()["subjects"], &declared.json()["since"]), (&expected, &json!(0)));
    assert_eq!(api.get("/v1/personal-data").await.json(), json!({"types": [declared.json()]}));

    let moved =
        |data: Value, metadata: Value| json!({"events": [{"type": "Moved", "data": data, "metadata": metadata}]});
    let problem = api.append("a-1", moved(json!({"name": "Ada"}), json!({}))).await.problem();
    assert!(problem.starts_with("422 invalid_personal_data: event 0 of stream `a-1`: its field `/name`"), "{problem}");
    let line = json!({"stream": "a-1", "type": "Moved", "data": {"note": "x"}}).to_string();
    let import = Request::post("/v1/events").header(header::CONTENT_TYPE, "application/x-ndjson");
    let problem = api.send(import.body(Body::from(line)).unwrap()).await.problem();
    assert!(problem.contains("invalid_personal_data: line 1: its field `/note`"), "{problem}");
    let appended =
        api.append("a-1", moved(json!({"id": 7, "name": "Ada", "note": "x"}), json!({"subjects": ["b"]}))).await;
    assert_eq!(appended.status, StatusCode::CREATED, "{}", appended.text());
    let forgotten = api.post("/v1/forgettings", json!({"subject": "7"}).to_string()).await;
    assert_eq!(forgotten.status, StatusCode::ACCEPTED, "{}", forgotten.text());
    let number = forgotten.json()["forgetting"].as_i64().unwrap();
    assert_eq!(api.get(&format!("/v1/forgettings/{number}")).await.json()["keys"], 1);
    let event = &api.get("/v1/events").await.json()["events"][0];
    assert_eq!(event["data"], json!({"id": 7, "name": {"was": 1.50}, "note": "x"}));
    assert_eq!(event["metadata"], json!({"subjects": ["b"], "forgotten": ["/name"]}));

    assert_eq!(delete(&api, "/v1/personal-data/Moved").await.status, StatusCode::NO_CONTENT);
    let problem = delete(&api, "/v1/personal-data/Moved").await.problem();
    assert!(problem.starts_with("404 personal_data_not_declared:"), "{problem}");
    assert_eq!(api.get("/v1/personal-data").await.json(), json!({"types": []}));
    // What is encrypted is read as before.
    assert_eq!(&api.get("/v1/events").await.json()["events"][0], event);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_is_nobody_to_forget() {
    let folder = tempfile::tempdir().unwrap();
    let api = with_keys(folder.path()).await;
    let nothing = api.post("/v1/forgettings", json!({"subject": "nobody"}).to_string()).await;
    let expected = json!({"forgetting": null, "keys": 0, "effective_at": null, "finished_at": null, "projections": []});
    assert_eq!((nothing.status, nothing.json()), (StatusCode::OK, expected));
    let problem = api.post("/v1/forgettings", json!({"subject": ""}).to_string()).await.problem();
    assert_eq!(problem, "422 invalid_body: subject: the text is empty");
    let problem = api.get("/v1/forgettings/7").await.problem();
    assert_eq!(problem, "404 forgetting_not_found: there is no forgetting 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_keys_declares_and_forgets_nothing() {
    let api = TestApi::start().await;
    assert!(put(&api, "Moved", &fields()).await.problem().starts_with("409 no_key_store:"));
    let problem = api.post("/v1/forgettings", json!({"subject": "customer-7"}).to_string()).await.problem();
    assert!(problem.starts_with("409 no_key_store:"), "{problem}");
    assert_eq!(api.get("/v1/personal-data").await.json(), json!({"types": []}));
}
