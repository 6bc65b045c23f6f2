use std::time::Duration;

use futures_util::StreamExt;
use insta::assert_snapshot;

use super::*;
use crate::builds::{Work, tests::TestBuilds};

async fn filled() -> TestApi {
    let api = TestApi::start().await;
    fill(&api).await;
    api
}

/// Appends seven events of three types to two streams.
async fn fill(api: &TestApi) {
    for number in 0..7 {
        let (name, event_type) = (["a-1", "b-1"][number % 2], ["X", "Y", "Z"][number % 3]);
        let event = json!({"type": event_type, "data": {"n": number}, "time": "2020-01-01T00:00:00Z"});
        api.append(name, json!({"events": [event]})).await;
    }
}

fn numbers(answer: &Answer) -> Vec<u64> {
    answer.json()["events"].as_array().unwrap().iter().map(|event| event["position"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_whole() {
    let api = filled().await;
    let answer = api.get("/v1/events?limit=1").await;
    let (id, now) = (&answer.json()["events"][0]["id"], &answer.json()["events"][0]["recorded_at"]);
    let text = answer.text().replace(id.as_str().unwrap(), "[id]").replace(now.as_str().unwrap(), "[now]");
    assert_snapshot!(pretty::pretty(&text), @r#"
    {
      "events": [
        {
          "position": 1,
          "stream": "a-1",
          "version": 1,
          "id": "[id]",
          "type": "X",
          "schema_version": 1,
          "time": "2020-01-01T00:00:00Z",
          "recorded_at": "[now]",
          "data": {"n": 0}
        }
      ],
      "next": 1,
      "head": 7
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_both_ways_and_by_type_and_category() {
    let api = filled().await;
    assert_eq!(numbers(&api.get("/v1/events?after=2&limit=3").await), [3, 4, 5]);
    assert_eq!(numbers(&api.get("/v1/events?direction=backward&limit=3").await), [7, 6, 5]);
    assert_eq!(numbers(&api.get("/v1/events?types=X,Z&category=a").await), [1, 3, 7]);
    assert_eq!(numbers(&api.get("/v1/streams/b-1/events?after=1").await), [4, 6]);
    let answer = api.get("/v1/streams/b-1/events?direction=backward&limit=2").await;
    assert_eq!(
        (numbers(&answer), answer.json()["next"].clone(), answer.json()["version"].clone()),
        (vec![6, 4], json!(2), json!(3))
    );
    let streams = api.get("/v1/streams?limit=1").await.json();
    assert_eq!(streams, json!({"streams": [{"stream": "a-1", "version": 4, "last_position": 7}], "next": "a-1"}));
    assert_eq!(api.get("/v1/streams?after=a-1&limit=2").await.json()["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_is_the_same_for_streams_and_events() {
    let api = TestApi::start().await;
    for stream in ["user-v1-54", "user-1", "user", "users-1", "-1", "a,b-1"] {
        api.append(stream, json!({"events": [event("X")]})).await;
    }
    for (category, wanted) in [
        ("user", vec!["user", "user-1", "user-v1-54"]),
        ("users", vec!["users-1"]),
        ("%22a,b%22", vec!["a,b-1"]),
        ("%22a,b%22,users", vec!["a,b-1", "users-1"]),
        ("nobody", vec![]),
    ] {
        for path in ["/v1/streams?category=", "/v1/events?category="] {
            let page = api.get(&format!("{path}{category}")).await.json();
            let items = page["streams"].as_array().or(page["events"].as_array()).unwrap();
            let mut found: Vec<_> = items.iter().map(|item| item["stream"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, wanted, "{path}{category}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn types_may_have_commas() {
    let api = TestApi::start().await;
    for event_type in ["Moved, twice", "Moved", " twice", "say \"so\""] {
        api.append("a-1", json!({"events": [event(event_type)]})).await;
    }
    for (types, wanted) in [
        ("%22Moved,%20twice%22", vec![1]),
        ("Moved,%20twice", vec![2, 3]),
        ("Moved,%22Moved,%20twice%22", vec![1, 2]),
        ("%22say%20%5C%22so%5C%22%22", vec![4]),
        ("say%20%22so%22", vec![4]),
    ] {
        assert_eq!(numbers(&api.get(&format!("/v1/events?types={types}")).await), wanted, "{types}");
    }
}

/// The answer to a follower that reconnects.
async fn reconnect(api: &TestApi, path: &str, last_event_id: Option<&str>) -> Answer {
    let request = Request::get(path).header("accept", "text/event-stream");
    let request = match last_event_id {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_after_the_end_of_the_log_is_refused() {
    let api = filled().await;
    let log = "409 position_beyond_head: the reader is at position 8, but the log ends at 7: it is not the log that the reader knows.";
    for answer in [
        reconnect(&api, "/v1/events", Some("8")).await,
        reconnect(&api, "/v1/events?after=8", None).await,
        reconnect(&api, "/v1/events?types=Never&after=2", Some("8")).await,
        api.get("/v1/events?after=8").await,
        api.get("/v1/events?after=8&types=Never").await,
    ] {
        assert!(answer.problem().starts_with(log), "{}", answer.problem());
        assert_eq!((&answer.json()["after"], &answer.json()["head"]), (&json!(8), &json!(7)));
    }
    let stream = "409 position_beyond_head: the reader is at version 4 of stream `b-1`, but the stream ends at 3:";
    for answer in [
        reconnect(&api, "/v1/streams/b-1/events", Some("4")).await,
        reconnect(&api, "/v1/streams/b-1/events?after=4", None).await,
        api.get("/v1/streams/b-1/events?after=4").await,
    ] {
        assert!(answer.problem().starts_with(stream), "{}", answer.problem());
        assert_eq!((&answer.json()["after"], &answer.json()["version"]), (&json!(4), &json!(3)));
    }
    let answer = reconnect(&api, "/v1/streams/c-1/events", Some("1")).await;
    assert!(
        answer.problem().contains("at version 1 of stream `c-1`, but the stream ends at 0"),
        "{}",
        answer.problem()
    );
    // A reader at the end has missed nothing, and one that reads backward waits for nothing.
    assert_eq!(numbers(&api.get("/v1/events?after=7").await), [0; 0]);
    assert_eq!(numbers(&api.get("/v1/streams/b-1/events?after=3").await), [0; 0]);
    assert_eq!(numbers(&api.get("/v1/events?after=100&direction=backward&limit=1").await), [7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_may_have_seen_events_that_this_host_has_not_been_notified_of() {
    let api = filled().await;
    // Another host has committed, and this host gets no notification of it. Every append notifies, so the event is written directly.
    let mut transaction = crate::postgres::begin(api.pool()).await.unwrap();
    sqlx::query("UPDATE gnomon.head SET position = 8").execute(&mut *transaction).await.unwrap();
    sqlx::query(
        "INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
         VALUES (8, 1, now(), now(), gen_random_uuid(), 1, 'c-1', 'Far', '{}')",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    let request = Request::get("/v1/events").header("accept", "text/event-stream").header("last-event-id", "8");
    let response = api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

/// Reads server-sent events until there are as many ids as wanted.
async fn follow(api: &TestApi, path: &str, last_event_id: Option<&str>, wanted: usize) -> String {
    let mut request = Request::get(path).header("accept", "text/event-stream");
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    api.follow(request.body(Body::empty()).unwrap(), wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_followed_from_the_position_of_the_client() {
    let api = filled().await;
    let text = follow(&api, "/v1/events", None, 7).await;
    assert!(text.contains("id: 1\ndata: {\"position\":1,") || text.contains("data: {\"position\":1,"), "{text}");
    let text = follow(&api, "/v1/events?after=1", Some("5"), 2).await;
    assert!(
        !text.contains("\"position\":5,") && text.contains("\"position\":6,") && text.contains("\"position\":7,"),
        "{text}"
    );
    // No event has the type; the id moves on all the same, without data.
    let text = follow(&api, "/v1/events?types=Never", None, 1).await;
    assert_eq!(text.trim_start_matches(':').trim(), "id: 7");
    let text = follow(&api, "/v1/streams/b-1/events", Some("2"), 1).await;
    assert!(text.contains("\"version\":3,") && text.contains("id: 3"), "{text}");
    let coming = follow(&api, "/v1/events?after=head", None, 1);
    let appending = async {
        // The follower should begin first: it gets only events that are appended later.
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        api.append("c-1", json!({"events": [event("New")]})).await
    };
    let (text, _) = tokio::join!(coming, appending);
    assert!(text.contains("\"type\":\"New\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_follows_begins_at_once_and_no_proxy_gathers_it() {
    let api = TestApi::start().await;
    for path in ["/v1/events", "/v1/streams/a-1/events", "/v1/projections"] {
        let request = Request::get(path).header("accept", "text/event-stream").body(Body::empty()).unwrap();
        let response = api.router.clone().oneshot(request).await.unwrap();
        for (name, value) in [("x-accel-buffering", "no"), ("cache-control", "no-cache")] {
            assert_eq!(response.headers()[name], value, "{path}");
        }
        let mut body = response.into_body().into_data_stream();
        let first = tokio::time::timeout(Duration::from_secs(10), body.next()).await.expect("before the first event");
        assert!(first.unwrap().unwrap().starts_with(b":"), "a comment, which programs do not see");
    }
    // A page may be gathered, and is no stream.
    let request = Request::get("/v1/events").header("accept", "text/event-stream;q=0").body(Body::empty()).unwrap();
    let page = api.send(request).await;
    assert_eq!((page.header("content-type"), page.header("x-accel-buffering")), ("application/json", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_follow_end_when_the_host_stops() {
    let api = filled().await;
    let request = Request::get("/v1/events").header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let response = api.router.clone().oneshot(request).await.unwrap();
    api.closing.cancel();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    tokio::time::timeout(Duration::from_secs(20), body).await.expect("the stream ends").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_whether_postgres_answers() {
    let api = TestApi::start().await;
    assert_eq!(api.get("/health/live").await.json(), json!({"status": "live"}));
    let log: uuid::Uuid = sqlx::query_scalar("SELECT log_id FROM gnomon.head").fetch_one(api.pool()).await.unwrap();
    assert_eq!(api.get("/health/ready").await.json(), json!({"status": "ready", "log": log}));
    assert_eq!(api.get("/").await.json()["name"], json!("gnomon"));
    api.host.database.close().await;
    let answer = api.get("/health/ready").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{:?}", answer.body);
    assert_eq!(answer.header("retry-after"), "1");
}

/// All that a follower gets, with a failure after the first events.
async fn until_the_end(api: &TestApi, path: &str, fail: impl AsyncFnOnce()) -> String {
    let request = Request::get(path).header("accept", "text/event-stream").header("x-request-id", "follower-1");
    let request = request.body(Body::empty()).unwrap();
    let mut body = api.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut text = String::new();
    let mut more = async || {
        let chunk = tokio::time::timeout(Duration::from_secs(20), body.next()).await.expect("an event in time")?;
        Some(std::str::from_utf8(&chunk.unwrap()).unwrap().to_owned())
    };
    while !text.contains("data:") {
        text += &more().await.expect("the first events");
    }
    fail().await;
    while let Some(chunk) = more().await {
        text += &chunk;
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_event_of_a_stream_that_fails_is_its_problem() {
    for path in ["/v1/events", "/v1/streams/a-1/events", "/v1/projections"] {
        // With a projection, so that its followers get something before the failure. No host works on its build.
        let builds = TestBuilds::create().await;
        let (build, _) = builds.build(1, &["n"]).await;
        builds.set(build, |kept| kept.work = Work::Paused).await;
        let api = TestApi::on(&builds.database).await;
        fill(&api).await;
        let text = until_the_end(&api, path, async || {
            // The followers of the log are woken by an append, which fails from now on: so the head is moved directly.
            let broken =
                "ALTER TABLE gnomon.events RENAME COLUMN metadata TO gone; ALTER TABLE gnomon.builds RENAME TO gone; \
                          ALTER TABLE gnomon.streams RENAME TO gone_too";
            sqlx::raw_sql(broken).execute(api.pool()).await.unwrap();
            sqlx::query("UPDATE gnomon.head SET position = position + 1").execute(api.pool()).await.unwrap();
            sqlx::query("SELECT pg_notify('gnomon_head', '8')").execute(api.pool()).await.unwrap();
        })
        .await;
        let last = text.trim_end().rsplit("\n\n").next().unwrap();
        let problem = last.strip_prefix("event: error\ndata: ").unwrap_or_else(|| panic!("{path}: {text}"));
        let problem: Value = serde_json::from_str(problem).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!("internal"), &json!(500)), "{path}: {text}");
        assert!(!last.contains("does not exist"), "the text of Postgres stays in the log: {path}: {text}");
        assert_eq!(problem["request_id"], json!("follower-1"), "{path}: {text}");
        assert!(!last.contains("\nid:"), "a client reconnects with the id of the last event that it has: {text}");
    }
}
