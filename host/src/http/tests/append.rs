use insta::assert_snapshot;

use super::*;

const ID: &str = "0193e0a0-0000-7000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn an_append_is_answered_with_versions_and_positions() {
    let api = TestApi::start().await;
    let answer = api
        .append("account-1", json!({"expected_version": "no_stream", "events": [event("Opened"), event("Moved")]}))
        .await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_snapshot!(answer.pretty(), @r#"
    {
      "stream": "account-1",
      "first_version": 1,
      "last_version": 2,
      "first_position": 1,
      "last_position": 2
    }
    "#);
    // A name may be escaped in the URL.
    let answer = api.append("k%C3%B6nig-%2F%201", json!({"events": [event("Opened")]})).await;
    assert_eq!(answer.json()["stream"], json!("könig-/ 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_names_the_current_version() {
    let api = TestApi::start().await;
    api.append("account-1", json!({"events": [event("Opened")]})).await;
    let answer = api.append("account-1", json!({"expected_version": 0, "events": [event("Opened")]})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_snapshot!(answer.pretty(), @r#"
    {
      "type": "/errors/wrong_expected_version",
      "title": "The stream is not at the expected version",
      "status": 409,
      "detail": "stream `account-1` is at version 1, not at the expected 0",
      "code": "wrong_expected_version",
      "stream": "account-1",
      "current_version": 1
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_200_with_the_first_answer() {
    let api = TestApi::start().await;
    let body = json!({"events": [{"id": ID, "type": "Opened", "data": {"a": 1}, "metadata": {"by": "me"}}]});
    let first = api.append("account-1", body.clone()).await;
    let again = api.append("account-1", body).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.body, again.body);

    let other = json!({"events": [{"id": ID, "type": "Opened", "data": {"a": 2}}]});
    let problem = api.append("account-1", other).await.problem();
    assert_eq!(
        problem,
        format!(
            "409 event_id_taken: event id {ID} is taken: version 1 of stream `account-1` (position 1) has it and has other data"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_to_several_streams_is_all_or_nothing() {
    let api = TestApi::start().await;
    let both = |expected: Value| {
        json!({"appends": [
            {"stream": "a-1", "events": [event("Opened")]},
            {"stream": "b-1", "expected_version": expected, "events": [event("Opened")]},
        ]})
    };
    let refused = api.post("/v1/events", both(json!(3)).to_string()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(api.is_empty().await);
    let taken = api.post("/v1/events", both(json!("no_stream")).to_string()).await;
    assert_eq!(taken.status, StatusCode::CREATED);
    assert_snapshot!(taken.pretty(), @r#"
    {
      "appends": [
        {
          "stream": "a-1",
          "first_version": 1,
          "last_version": 1,
          "first_position": 1,
          "last_position": 1
        },
        {
          "stream": "b-1",
          "first_version": 1,
          "last_version": 1,
          "first_position": 2,
          "last_position": 2
        }
      ]
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_named() {
    let api = TestApi::start().await;
    let answer = api.append("a-1", json!({"events": [{"type": "A", "data": "x".repeat(999)}]})).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_snapshot!(answer.pretty(), @r#"
    {
      "type": "/errors/limit_exceeded",
      "title": "Something is larger than a limit allows",
      "status": 413,
      "detail": "bytes of data and metadata of event 0 of stream `a-1`: 1001; the limit max_event_bytes is 1000",
      "code": "limit_exceeded",
      "limit": "max_event_bytes",
      "found": 1001,
      "max": 1000
    }
    "#);
    let events: Vec<Value> = (0..6).map(|_| event("A")).collect();
    let problem = api.append("a-1", json!({ "events": events })).await.problem();
    assert_eq!(problem, "413 limit_exceeded: events of the append: 6; the limit max_append_events is 5");
    assert!(api.is_empty().await);
}
