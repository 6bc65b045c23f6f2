//! Times at the ends of what Gnomon keeps, and what is refused beyond them.

use std::time::Duration;

use futures_util::StreamExt;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::{import::import, *};

/// Times as they are written, and as they are answered.
const KEPT: &[(&str, &str)] = &[
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
    ("9999-12-31T23:59:59.999998Z", "9999-12-31T23:59:59.999998Z"),
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ("9999-12-30T22:00:00.999999999Z", "9999-12-30T22:00:00.999999Z"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("0001-01-01T00:00:00.000001Z", "0001-01-01T00:00:00.000001Z"),
    ("0000-12-31T23:00:00-01:00", "0001-01-01T00:00:00Z"),
    ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
    ("1969-12-31T23:59:59.000000999Z", "1969-12-31T23:59:59Z"),
    ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("2020-02-29T12:30:00.5+02:00", "2020-02-29T10:30:00.5Z"),
    ("2020-02-29t12:30:00z", "2020-02-29T12:30:00Z"),
    ("2020-02-29T12:30:00-00:00", "2020-02-29T12:30:00Z"),
];

const REFUSED: &[(&str, &str)] = &[
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z is within a leap second"),
    ("9999-12-31T23:59:59-00:01", "+10000-01-01T00:00:59Z is after 9999-12-31T23:59:59.999999Z, the last instant"),
    ("0001-01-01T00:00:00+00:01", "0000-12-31T23:59:00Z is before 0001-01-01T00:00:00Z, the first instant"),
    ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z is before 0001-01-01T00:00:00Z"),
    ("10000-01-01T00:00:00Z", "`10000-01-01T00:00:00Z` is not an instant as RFC 3339 writes it"),
    ("2020-01-01T24:00:00Z", "`2020-01-01T24:00:00Z` is not an instant"),
    ("2020-01-01T00:00Z", "`2020-01-01T00:00Z` is not an instant"),
    ("2020-01-01T00:00:00", "`2020-01-01T00:00:00` is not an instant"),
    ("2020-02-30T00:00:00Z", "`2020-02-30T00:00:00Z` is not an instant"),
    ("infinity", "`infinity` is not an instant"),
];

/// The times of the pages of events at a path.
async fn times(api: &TestApi, path: &str) -> Vec<String> {
    let answer = api.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.text());
    let events = answer.json()["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["time"].as_str().unwrap().to_owned()).collect()
}

/// The times of the first events that a follower gets.
async fn followed_times(api: &TestApi, path: &str, count: usize) -> Vec<String> {
    let request = Request::get(path).header("accept", "text/event-stream").body(Body::empty()).unwrap();
    let mut body = api.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("\"time\":").count() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(20), body.next()).await.expect("an event in time");
        text += std::str::from_utf8(&chunk.expect("more events").unwrap()).unwrap();
    }
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    events.map(|event| serde_json::from_str::<Value>(event).unwrap()["time"].as_str().unwrap().to_owned()).collect()
}

/// Instants anywhere in time, to the nanosecond, each with the form in which it is kept.
fn anywhere(count: usize) -> Vec<(String, String)> {
    let mut runner = TestRunner::deterministic();
    let any = (1..=9999_i32, 1..=12_u32, 1..=28_u32, 0..86_400_u32, 0..1_000_000_000_u32);
    let mut next = || any.new_tree(&mut runner).unwrap().current();
    (0..count)
        .map(|_| {
            let (year, month, day, second, nanos) = next();
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let whole = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
            let fraction = format!(".{:06}", nanos / 1000);
            let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
            (format!("{whole}.{nanos:09}Z"), format!("{whole}{fraction}Z"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_accepted_time_can_be_read_everywhere() {
    let api = TestApi::start().await;
    let mut kept: Vec<(String, String)> = KEPT.iter().map(|&(came, kept)| (came.into(), kept.into())).collect();
    kept.extend(anywhere(30));
    // Both ways into Postgres: single inserts, and COPY as imports do.
    for (number, (came, _)) in kept.iter().enumerate() {
        let id = uuid::Uuid::from_u128(number as u128 + 1);
        let body = json!({"events": [{"type": "T", "id": id, "time": came, "data": 1}]});
        assert_eq!(api.append("a-1", body.clone()).await.status, StatusCode::CREATED, "{came}");
        // The same time again is a repeat, including digits that are not kept.
        let repeated = api.append("a-1", body).await;
        assert_eq!(repeated.status, StatusCode::OK, "{came}: {:?}", repeated.text());
    }
    let line =
        |(came, _): &(String, String)| json!({"stream": "b-1", "type": "T", "time": came, "data": 1}).to_string();
    let lines = kept.iter().map(line).collect::<Vec<_>>().join("\n");
    let answer = import(&api, lines).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.text());

    let expected: Vec<String> = kept.into_iter().map(|(_, kept)| kept).collect();
    for stream in ["a-1", "b-1"] {
        let path = format!("/v1/streams/{stream}/events");
        assert_eq!(times(&api, &format!("{path}?limit=50")).await, expected);
        assert_eq!(followed_times(&api, &path, expected.len()).await, expected);
    }
    let twice = [expected.clone(), expected.clone()].concat();
    assert_eq!(followed_times(&api, "/v1/events", twice.len()).await, twice);
    assert_eq!(times(&api, "/v1/events?category=b&limit=50").await, expected);
    assert_eq!(times(&api, "/v1/events?category=b&limit=50&upcast=true").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_cannot_be_kept_is_refused_by_its_field() {
    let api = TestApi::start().await;
    for (time, message) in REFUSED {
        let event = json!({"type": "T", "data": 1, "time": time});
        let found = api.append("a-1", json!({"events": [event]})).await.problem();
        assert!(found.starts_with(&format!("422 invalid_body: events[0].time: {message}")), "{found}");
        let line = json!({"stream": "b-1", "type": "T", "data": 1, "time": time}).to_string();
        let found = import(&api, line).await.problem();
        assert!(found.starts_with(&format!("422 invalid_body: time: {message}")), "{found}");
    }
    assert!(api.is_empty().await);
}

/// Earlier versions of the host accepted such times, and operators may have written them with SQL: pages show them.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_an_odd_time_does_not_fail_its_page() {
    let api = TestApi::start().await;
    api.append("a-1", json!({"events": [{"type": "T", "data": 1, "time": "2020-01-01T00:00:00Z"}]})).await;
    let written = "WITH odd AS (
             SELECT time, number FROM unnest(ARRAY['-infinity', 'infinity', '4713-11-24 00:00:00+00 BC',
                 '294276-12-31 23:59:59.999999+00']::timestamptz[]) WITH ORDINALITY AS odd (time, number)
         ), moved AS (UPDATE gnomon.streams SET version = 5, last_position = 5), head AS (UPDATE gnomon.head SET position = 5)
         INSERT INTO gnomon.events (position, version, time, recorded_at, id, schema_version, stream, type, data)
         SELECT 1 + number, 1 + number, time, now(), gen_random_uuid(), 1, 'a-1', 'T', '{}' FROM odd";
    sqlx::query(written).execute(api.pool()).await.unwrap();
    let appended =
        api.append("a-1", json!({"events": [{"type": "T", "data": 1, "time": "2021-01-01T00:00:00Z"}]})).await;
    assert_eq!(appended.json()["last_position"], json!(6));
    let expected = [
        "2020-01-01T00:00:00Z",
        "-290278-12-22T19:59:05.224192Z",
        "+294247-01-10T04:00:54.775807Z",
        "-4712-11-24T00:00:00Z",
        "+294247-01-10T04:00:54.775807Z",
        "2021-01-01T00:00:00Z",
    ];
    assert_eq!(times(&api, "/v1/events").await, expected);
    assert_eq!(times(&api, "/v1/events?upcast=true").await, expected);
    assert_eq!(times(&api, "/v1/streams/a-1/events").await, expected);
    assert_eq!(followed_times(&api, "/v1/events", 6).await, expected);
}
