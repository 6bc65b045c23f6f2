//! A message that fails, and a sink that cannot publish the log, so that their measures have series.

use gnomon::{
    event_log::{JsonText, Position},
    outbox::{MessageKind, NewMessage, SinkName, enqueue},
    postgres::{PgTimestamp, begin, test_database::TestDatabase},
};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::until;

use crate::program::HostProcess;

pub(crate) async fn prepare(host: &HostProcess, database: &TestDatabase) {
    // Nothing listens on port 9.
    put(host, "orders", json!({"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": "env:GNOMON_SECRET_OF_NOBODY", "max_tries": 1})).await;
    put(
        host,
        "stream",
        json!({"kind": "log", "url": "nats://127.0.0.1:9", "stream": "EVENTS", "subject": "events.{type}"}),
    )
    .await;
    let message = NewMessage {
        id: uuid::Uuid::from_u128(7),
        reactor: "delays".to_owned(),
        sink: SinkName::new("orders").unwrap(),
        kind: MessageKind::Publish,
        key: "flight-7".to_owned(),
        position: Position(1),
        number: 0,
        message_type: "FlightDelayed".to_owned(),
        subject: None,
        data: JsonText::parse("{}").unwrap(),
        time: PgTimestamp(0),
        traceparent: None,
    };
    let mut transaction = begin(&database.pool().await).await.unwrap();
    enqueue(&mut transaction, &[message]).await.unwrap();
    transaction.commit().await.unwrap();
    until("the message has failed, and the log is not published", async || {
        let failed = host.json("/v1/outbox?state=failed").await["messages"] != json!([]);
        failed && host.json("/v1/sinks/stream").await["published"]["error"].is_string()
    })
    .await;
}

/// Starts a reactor, so that its measures have series.
pub(crate) async fn start_reactor(host: &HostProcess) {
    let request = host.request(Method::PUT, "/v1/modules/obeys").header("content-type", "application/wasm");
    let answer = host.send(request.body(test_support::guest("obeys"))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

async fn put(host: &HostProcess, name: &str, settings: Value) {
    let answer = host.send(host.request(Method::PUT, &format!("/v1/sinks/{name}")).json(&settings)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}
