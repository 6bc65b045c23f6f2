//! Several hosts on one database, many writers, and readers that follow.

use std::{collections::HashMap, env};

use futures_util::StreamExt;
use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Host, client};

const HOSTS: usize = 2;
const WRITERS: usize = 16;
/// Streams that all writers append to.
const STREAMS: usize = 8;

/// Appends of all writers together. `GNOMON_TEST_APPENDS=100000` makes it a longer run.
fn appends() -> usize {
    env::var("GNOMON_TEST_APPENDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000)
}

/// What a writer saw.
#[derive(Default)]
struct Seen {
    /// Position and version that were answered, by event id.
    appended: HashMap<String, (u64, u64)>,
    conflicts: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_on_two_hosts_and_a_follower_see_one_log() {
    let database = TestDatabase::create().await;
    let first = Host::start(&database).await;
    let hosts = [first.beside().await, first];
    let each = appends().div_ceil(HOSTS * WRITERS);
    let total = each * HOSTS * WRITERS;

    let follower = tokio::spawn(follow(hosts[0].request(Method::GET, "/v1/events"), total));
    let mut writers = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        for writer in 0..WRITERS {
            let client = (host.url().to_owned(), client());
            writers.push(tokio::spawn(write(client, index * WRITERS + writer, each)));
        }
    }
    let mut appended = HashMap::new();
    let mut conflicts = 0;
    for writer in writers {
        let seen = writer.await.unwrap();
        conflicts += seen.conflicts;
        appended.extend(seen.appended);
    }
    assert_eq!(appended.len(), total, "every id was answered once");
    assert!(conflicts > 0, "writers to the same {STREAMS} streams conflict");

    let followed = follower.await.unwrap();
    let mut versions: HashMap<String, u64> = HashMap::new();
    for (index, event) in followed.iter().enumerate() {
        // No gap, no reordering, no duplicate.
        assert_eq!(event["position"], json!(index + 1));
        let version = versions.entry(event["stream"].as_str().unwrap().to_owned()).or_default();
        *version += 1;
        assert_eq!(event["version"], json!(*version));
        let answered = appended[event["id"].as_str().unwrap()];
        assert_eq!(answered, (event["position"].as_u64().unwrap(), *version), "the writer's answer is right");
        // No conflict was missed: each event follows the version that its writer expected.
        assert_eq!(event["data"]["after"], json!(*version - 1));
    }
}

/// Follows the log until it has seen so many events.
async fn follow(request: reqwest::RequestBuilder, total: usize) -> Vec<Value> {
    let response = request.header("accept", "text/event-stream").send().await.unwrap();
    let mut chunks = response.bytes_stream();
    let (mut events, mut rest) = (Vec::new(), Vec::new());
    while events.len() < total {
        rest.extend_from_slice(&chunks.next().await.expect("the host follows on").unwrap());
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data: ") {
                events.push(serde_json::from_slice(data).unwrap());
            }
        }
    }
    events
}

/// Appends so many events, each after the version at which the writer last saw the stream.
async fn write((url, client): (String, reqwest::Client), writer: usize, appends: usize) -> Seen {
    let mut seen = Seen::default();
    let mut known = [0_u64; STREAMS];
    for number in 0..appends {
        let stream = (writer + number) % STREAMS;
        let id = uuid::Uuid::new_v4().to_string();
        loop {
            let after = known[stream];
            let expected = if after == 0 { json!("no_stream") } else { json!(after) };
            let event = json!({"id": id, "type": "Written", "data": {"writer": writer, "after": after}});
            let response = client
                .post(format!("{url}/v1/streams/shared-{stream}/events"))
                .json(&json!({"expected_version": expected, "events": [event]}))
                .send()
                .await
                .unwrap();
            let status = response.status();
            let answer: Value = response.json().await.unwrap();
            if status == StatusCode::CREATED {
                known[stream] = answer["last_version"].as_u64().unwrap();
                assert_eq!(known[stream], after + 1);
                seen.appended.insert(id, (answer["last_position"].as_u64().unwrap(), known[stream]));
                break;
            }
            assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("wrong_expected_version")));
            known[stream] = answer["current_version"].as_u64().unwrap_or_default();
            seen.conflicts += 1;
        }
    }
    seen
}
