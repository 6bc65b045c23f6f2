//! Messages of reactors to JetStream.

use gnomon::{
    event_log::{JsonText, Position},
    outbox::{MessageKind, NewMessage, SinkName, enqueue},
    postgres::{PgTimestamp, begin},
};
use uuid::Uuid;

use super::*;

fn message(key: &str, number: u32) -> NewMessage {
    NewMessage {
        traceparent: None,
        id: Uuid::new_v4(),
        reactor: "delays".to_owned(),
        sink: SinkName::new("orders").unwrap(),
        kind: MessageKind::Publish,
        key: key.to_owned(),
        position: Position(u64::from(number)),
        number: 0,
        message_type: "Flight.Delayed".to_owned(),
        subject: Some("UA 1545".to_owned()),
        data: JsonText::parse(&json!({"key": key, "number": number}).to_string()).unwrap(),
        time: PgTimestamp(1_357_034_400_000_000),
    }
}

async fn send(database: &TestDatabase, messages: &[NewMessage]) {
    let mut transaction = begin(&database.pool().await).await.unwrap();
    enqueue(&mut transaction, messages).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn until_delivered(host: &HostProcess) {
    until("all messages are delivered", async || {
        host.json("/v1/outbox?state=pending").await["messages"].as_array().unwrap().is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_as_cloud_events_in_the_order_of_their_keys() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("ORDERS", "orders.>").await;
    let host = host(&database).await;
    put_sink(
        &host,
        "orders",
        json!({"kind": "nats", "url": nats.url(), "subject": "orders.{reactor}.{type}.{subject}"}),
    )
    .await;
    let messages: Vec<NewMessage> = (0..200).map(|number| message(&format!("k{}", number % 7), number)).collect();
    send(&database, &messages).await;
    until_delivered(&host).await;
    let stored = nats.stored("ORDERS").await;
    assert_eq!(stored.len(), 200);
    for key in 0..7 {
        let data = |payload: &str| serde_json::from_str::<Value>(payload).unwrap()["data"].clone();
        let of_key = stored.iter().map(|stored| data(&stored.payload)).filter(|data| data["key"] == format!("k{key}"));
        let numbers: Vec<u64> = of_key.map(|data| data["number"].as_u64().unwrap()).collect();
        assert!(numbers.len() > 20 && numbers.is_sorted(), "{numbers:?}");
    }
    let first = stored.iter().find(|stored| stored.header("Nats-Msg-Id") == messages[0].id.to_string()).unwrap();
    assert_eq!(first.subject, "orders.delays.Flight%2EDelayed.UA%201545");
    assert_eq!(first.header("content-type"), "application/cloudevents+json; charset=utf-8");
    let event: Value = serde_json::from_str(&first.payload).unwrap();
    assert_eq!((&event["id"], &event["source"]), (&json!(messages[0].id), &json!("/reactors/delays")));

    let binary = json!({"kind": "nats", "url": nats.url(), "subject": "orders.{type}", "content_mode": "binary"});
    put_sink(&host, "orders", binary).await;
    let last = message("k", 7);
    send(&database, std::slice::from_ref(&last)).await;
    until_delivered(&host).await;
    let stored = nats.stored("ORDERS").await.pop().unwrap();
    assert_eq!(stored.payload, last.data.as_str());
    let headers = ["content-type", "ce-specversion", "ce-type", "ce-subject"].map(|name| stored.header(name));
    assert_eq!(headers, ["application/json", "1.0", "Flight.Delayed", "UA%201545"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_again_and_again_has_each_message_once() {
    let (database, mut nats) = (TestDatabase::create().await, Nats::start(None).await);
    nats.make_stream("ORDERS", "orders.>").await;
    let host = host(&database).await;
    put_sink(
        &host,
        "orders",
        json!({"kind": "nats", "url": nats.url(), "subject": "orders.{type}", "max_tries": 1000}),
    )
    .await;
    for round in 0..4 {
        let messages: Vec<NewMessage> = (0..100).map(|n| message(&format!("k{}", n % 5), round * 100 + n)).collect();
        send(&database, &messages).await;
        let before = nats.last_sequence("ORDERS").await;
        until("some have come", async || nats.last_sequence("ORDERS").await > before).await;
        nats.kill();
        nats.begin().await;
    }
    until_delivered(&host).await;
    let stored = nats.stored("ORDERS").await;
    let ids: std::collections::BTreeSet<&str> = stored.iter().map(|stored| stored.header("Nats-Msg-Id")).collect();
    assert_eq!((ids.len(), stored.len()), (400, 400));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_no_password_is_shown() {
    let (database, nats) = (TestDatabase::create().await, Nats::start(Some(("ada", "correct"))).await);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("login"), "ada:correct").unwrap();
    std::fs::write(folder.path().join("wrong"), "ada:hunter2").unwrap();
    let host = host_with_secrets(&database, folder.path()).await;
    let sink = |secret: &str| {
        let credentials = format!("file:{}", folder.path().join(secret).display());
        json!({"kind": "nats", "url": nats.url(), "subject": "orders.{type}", "credentials": credentials, "max_tries": 1000})
    };
    put_sink(&host, "orders", sink("wrong")).await;
    let sent = message("k", 1);
    send(&database, std::slice::from_ref(&sent)).await;
    let error = async |part: &str| {
        let shown = host.get(&format!("/v1/outbox/{}", sent.id)).await.body;
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        shown["error"].as_str().is_some_and(|error| error.contains(part))
    };
    until("the server refuses the password", async || error("the NATS server cannot be connected to").await).await;
    put_sink(&host, "orders", sink("login")).await;
    until("there is no stream", async || {
        error("no stream of JetStream takes the subject `orders.Flight%2EDelayed`").await
    })
    .await;
    nats.make_stream("ORDERS", "orders.>").await;
    until_delivered(&host).await;
    assert_eq!(nats.stored("ORDERS").await.len(), 1);
    assert!(!host.has_logged("hunter2") && !host.has_logged("ada:correct"));
}
