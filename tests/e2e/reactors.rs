//! A host that is killed at any time answers each event once.

use std::time::Duration;

use gnomon::postgres::test_database::TestDatabase;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Host, until};

/// How often the host is killed.
const KILLS: usize = 10;
/// Events between two kills.
const TOLD: usize = 40;

/// The events of a type, whichever hosts have lived.
async fn events_of(host: &Host, event_type: &str) -> Vec<Value> {
    let page = host.json(&format!("/v1/events?types={event_type}&limit=1000")).await;
    page["events"].as_array().unwrap().clone()
}

/// Waits until the reactor has handled the log.
async fn handled(host: &Host) {
    until("the reactor has handled the log", async || {
        let found = host.json("/v1/reactors/obeys").await;
        assert_eq!(found["error"], Value::Null);
        found["checkpoint"] == found["head"]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_random_instants_lose_and_repeat_nothing() {
    let (seed, _) = Uuid::new_v4().as_u64_pair();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::create().await;
    // Small batches make more commits that a kill can hit.
    let mut host = Host::start_with(&database, &["--batch-events", "5"]).await;
    assert!(host.upload("obeys", test_support::guest("obeys"), "").await.status.is_success());
    for kill in 0..KILLS {
        let line = |number: usize| {
            let stream = format!("told-{}", number % 4);
            let orders = json!([
                {"append": {"stream": "note-1"}},
                {"schedule": {"name": format!("{kill} {number}"), "after": delay(number)}},
                {"publish": "told"},
            ]);
            format!("{}\n", json!({"stream": stream, "type": "Told", "data": orders}))
        };
        let told: String = (0..TOLD).map(line).collect();
        assert!(host.import(told).await.status.is_success());
        tokio::time::sleep(Duration::from_millis(random.random_range(0..120))).await;
        host.kill();
        host.restart().await;
    }
    until("each schedule was due", async || events_of(&host, "ScheduleDue").await.len() >= KILLS * TOLD).await;
    handled(&host).await;
    assert_eq!(events_of(&host, "ScheduleDue").await.len(), KILLS * TOLD, "seed {seed}");
    let told: Vec<u64> =
        events_of(&host, "Told").await.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    let done: Vec<u64> =
        events_of(&host, "Done").await.iter().map(|event| event["data"][0].as_u64().unwrap()).collect();
    assert_eq!(done, told, "in the order of the events, seed {seed}");
    let mut messages: Vec<u64> = Vec::new();
    let mut after = String::new();
    loop {
        let page = host.json(&format!("/v1/outbox?reactor=obeys&limit=1000{after}")).await;
        messages
            .extend(page["messages"].as_array().unwrap().iter().map(|message| message["position"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(messages, told, "seed {seed}");
}

/// Milliseconds: some are due at once, some while the host is down, and some later.
fn delay(number: usize) -> usize {
    (number * 37) % 300
}
