//! Request ids, and errors whose text stays in the host's log.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id() {
    let api = TestApi::start().await;
    for (method, path, status) in [
        ("GET", "/health/live", StatusCode::OK),
        ("GET", "/v1/events", StatusCode::OK),
        ("GET", "/v1/projections/nobody", StatusCode::NOT_FOUND),
        ("GET", "/nothing", StatusCode::NOT_FOUND),
        ("DELETE", "/v1/events", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/v1/events", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = || Request::builder().method(method).uri(path);
        let answer = api.send(request().header("x-request-id", "checkout-17").body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("x-request-id")), (status, "checkout-17"), "{method} {path}");
        // An id that is not a token is replaced.
        let answer = api.send(request().header("x-request-id", "two words").body(Body::empty()).unwrap()).await;
        let made = answer.header("x-request-id").parse::<uuid::Uuid>().unwrap();
        assert_eq!(made.get_version_num(), 7, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_an_internal_error_stays_in_the_log() {
    let api = TestApi::start().await;
    api.append("a-1", json!({"events": [event("A")]})).await;
    sqlx::raw_sql("ALTER TABLE gnomon.events RENAME COLUMN metadata TO gone").execute(api.pool()).await.unwrap();
    let request = Request::get("/v1/events").header("x-request-id", "checkout-17").body(Body::empty()).unwrap();
    let answer = api.send(request).await;
    assert_eq!(
        answer.problem(),
        "500 internal: the host failed; its log has the error under the request id checkout-17"
    );
    assert_eq!(answer.json()["request_id"], json!("checkout-17"));
    assert_eq!(answer.header("x-request-id"), "checkout-17");

    let answer = api.append("a-1", json!({"events": [event("A")]})).await;
    let id = answer.header("x-request-id");
    assert_eq!(
        answer.problem(),
        format!("500 internal: the host failed; its log has the error under the request id {id}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unavailable_is_named_without_the_text_of_the_driver() {
    let api = TestApi::start().await;
    api.host.database.close().await;
    for path in ["/health/ready", "/v1/events", "/v1/projections"] {
        assert_eq!(api.get(path).await.problem(), "503 database_unavailable: Postgres does not answer", "{path}");
    }
    let answer = api.get("/v1/read-models/bank/accounts").await.json();
    assert_eq!((&answer["message"], &answer["details"]), (&json!("Postgres does not answer"), &Value::Null));
}
