//! A reactor whose messages go to JetStream, while NATS, hosts and sessions with Postgres are killed in turns.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Events that tell the reactor something, in each round.
const TOLD: usize = 150;
const ROUNDS: usize = 8;
/// Their streams, which are the keys of the messages.
const STREAMS: usize = 6;

/// Events that each tell the reactor to publish a message, and some to append an event as well.
fn told(round: usize) -> String {
    let line = |number: usize| {
        let mut orders = vec![json!({"publish": "told"})];
        if number.is_multiple_of(3) {
            orders.push(json!({"append": {"stream": format!("note-{}", number % STREAMS)}}));
        }
        let stream = format!("told-{}", (round + number) % STREAMS);
        format!("{}\n", json!({"stream": stream, "type": "Told", "data": orders}))
    };
    (0..TOLD).map(line).collect()
}

/// The events of a type.
async fn events_of(host: &HostProcess, event_type: &str) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), json!(0));
    loop {
        let page = host.json(&format!("/v1/events?types={event_type}&limit=1000&after={after}")).await;
        let found = page["events"].as_array().unwrap();
        events.extend_from_slice(found);
        match found.last() {
            Some(last) => after = last["position"].clone(),
            None => return events,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reactor_publishes_is_there_once_whatever_is_killed() {
    let (database, mut nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("MAIL", "mail.>").await;
    let mut hosts = vec![host(&database).await, host(&database).await];
    // A short time for a try, since what a host has claimed that is killed is free only after it.
    let sink =
        json!({"kind": "nats", "url": nats.url(), "subject": "mail.{key}", "timeout_seconds": 1, "max_tries": 1000});
    put_sink(&hosts[0], "mail", sink).await;
    assert_eq!(hosts[0].upload("obeys", test_support::guest("obeys"), "").await.status, 201);
    for round in 0..ROUNDS {
        let before = nats.last_sequence("MAIL").await;
        let imported = hosts[0].import(told(round)).await;
        assert_eq!(imported.status, 201, "{}", imported.body);
        until("some have come", async || nats.last_sequence("MAIL").await > before).await;
        match round % 4 {
            0 => {
                nats.kill();
                nats.begin().await;
            }
            1 | 3 => {
                drop(hosts.remove(0));
                hosts.push(host(&database).await);
            }
            _ => {
                sqlx::query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'gnomon%'",
                )
                .execute(&database.admin_pool().await)
                .await
                .unwrap();
            }
        }
    }
    let host = &hosts[0];
    until("all is done", async || {
        let head = host.head().await;
        let reactor = host.json("/v1/reactors/obeys").await;
        assert_eq!(reactor["error"], Value::Null);
        let waiting = host.json("/v1/outbox?state=pending&limit=1").await;
        reactor["checkpoint"] == json!(head) && waiting["messages"] == json!([]) && host.head().await == head
    })
    .await;

    let told = events_of(host, "Told").await;
    assert_eq!(told.len(), ROUNDS * TOLD);
    let position = |event: &Value| event["position"].as_u64().unwrap();
    let to_append = told.iter().filter(|event| event["data"].as_array().unwrap().len() == 2);
    let done = events_of(host, "Done").await;
    let done: Vec<u64> = done.iter().map(|event| event["data"][0].as_u64().unwrap()).collect();
    assert_eq!(done, to_append.map(position).collect::<Vec<_>>(), "appended once, in the order of the events");

    let stored = nats.stored("MAIL").await;
    let messages: Vec<Value> = stored.iter().map(|stored| serde_json::from_str(&stored.payload).unwrap()).collect();
    let mut keys: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (message, stored) in messages.iter().zip(&stored) {
        assert_eq!(message["id"], stored.header("Nats-Msg-Id"));
        assert_eq!(message["gnomonposition"], message["data"].to_string());
        keys.entry(message["partitionkey"].as_str().unwrap()).or_default().push(message["data"].as_u64().unwrap());
    }
    let ids: BTreeSet<&str> = stored.iter().map(|stored| stored.header("Nats-Msg-Id")).collect();
    assert_eq!((ids.len(), stored.len()), (told.len(), told.len()), "each message once");
    let mut expected: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for event in &told {
        expected.entry(event["stream"].as_str().unwrap()).or_default().push(position(event));
    }
    assert_eq!(keys, expected, "in the order of their streams");
}
