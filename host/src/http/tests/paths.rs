//! Paths as proxies and people write them.

use super::*;

/// A request with a prefix that a proxy has removed.
async fn below(api: &TestApi, path: &str) -> Answer {
    api.send(Request::get(path).header("x-forwarded-prefix", "/sub/path/").body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_a_slash_at_its_end_is_the_same_path() {
    let api = TestApi::start().await;
    api.append("a-1%2F", json!({"events": [event("X")]})).await;
    api.append("a-1", json!({"events": [event("X")]})).await;
    for path in [
        "/v1/events",
        "/v1/streams",
        "/v1/streams/a-1/events",
        "/v1/modules",
        "/v1/projections",
        "/v1/upcasters",
        "/v1/read-models",
        "/v1/read-models/nobody",
        "/v1/read-models/nobody/accounts",
        "/v1/projections/nobody/history",
        "/health/live",
        "/health/ready",
        "/errors/internal",
    ] {
        let (without, with) = (api.get(path).await, api.get(&format!("{path}/")).await);
        assert_ne!((with.status, with.header("location")), (StatusCode::NOT_FOUND, "/"), "{path}");
        assert_eq!((without.status, without.body), (with.status, with.body), "{path}");
    }
    assert_eq!(api.get("/v1/events/?limit=1&after=1").await.json()["events"][0]["position"], json!(2));
    let posted = api.post("/v1/streams/a-1/events/", json!({"events": [event("X")]}).to_string()).await;
    assert_eq!(posted.status, StatusCode::CREATED, "{:?}", posted.body);
    let nowhere = api.get("/v1/nowhere/").await.problem();
    assert_eq!(nowhere, "404 not_found: there is nothing at /v1/nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_in_answers_begin_with_what_the_proxy_has_removed() {
    let api = TestApi::start().await;
    let index = below(&api, "/").await.json();
    assert_eq!(
        (&index["events"], &index["read_models"]),
        (&json!("/sub/path/v1/events"), &json!("/sub/path/v1/read-models"))
    );
    for (path, page) in [
        ("/v1/streams/a-1/events", "stream_not_found"),
        ("/v1/nowhere", "not_found"),
        ("/v1/events?limit=x", "invalid_query"),
        ("/v1/read-models/nobody/accounts", "projection_not_found"),
    ] {
        assert_eq!(below(&api, path).await.json()["type"], json!(format!("/sub/path/errors/{page}")), "{path}");
        assert_eq!(api.get(path).await.json()["type"], json!(format!("/errors/{page}")), "{path}");
    }
    // Without a page, there is nothing to find.
    api.append("a-1", json!({"events": [event("X")]})).await;
    let request = Request::get("/v1/events?after=9").header("x-forwarded-prefix", "https://evil.example");
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["type"], json!("/errors/position_beyond_head"));
}
