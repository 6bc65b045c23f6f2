//! Receivers with the official SDKs of CloudEvents and Standard Webhooks get messages, and append CloudEvents.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use gnomon::{
    event_log::{JsonText, Position},
    outbox::{MessageKind, NewMessage, SinkName, enqueue},
    postgres::{PgTimestamp, begin, test_database::TestDatabase},
};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::until;
use uuid::Uuid;

use crate::{here, program::HostProcess};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver that runs. It is killed when this is dropped.
struct Receiver(Child);

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A message whose subject has what headers have to escape.
fn message(sink: &str, position: u64, subject: &str) -> NewMessage {
    NewMessage {
        id: Uuid::new_v4(),
        reactor: "delays".to_owned(),
        sink: SinkName::new(sink).unwrap(),
        kind: MessageKind::Publish,
        key: "flight-7".to_owned(),
        position: Position(position),
        number: 0,
        message_type: "FlightDelayed".to_owned(),
        subject: Some(subject.to_owned()),
        data: JsonText::parse(&json!({"minutes": 137, "to": "Zürich"}).to_string()).unwrap(),
        time: PgTimestamp(1_357_034_400_250_000),
        traceparent: None,
    }
}

/// Starts a receiver, has messages sent to it in both modes, and checks that it has taken them for what they are.
pub(crate) async fn check(mut program: Command, script: &str, name: &str, subject: &str) {
    let database = TestDatabase::create().await;
    let folder = Arc::new(tempfile::tempdir().unwrap());
    fs::write(folder.path().join("secret"), SECRET).unwrap();
    let secrets = format!("--secrets-dir={}", folder.path().display());
    let host = HostProcess::start(&database.url(), Arc::clone(&folder), &[secrets]).await;
    let events = format!("{}/v1/streams/account-7/events", host.url());
    program.arg(here().join(script)).args([&events, SECRET]).stdout(Stdio::piped());
    let mut receiver = Receiver(program.spawn().unwrap());
    let mut lines = BufReader::new(receiver.0.stdout.take().unwrap()).lines();
    let port = tokio::task::spawn_blocking(move || lines.next()).await.unwrap().expect("its port").unwrap();

    let events = host.json("/v1/streams/account-7/events").await["events"].clone();
    let appended = &events[0];
    assert_eq!((&appended["type"], &appended["data"]), (&json!("Opened"), &json!({"owner": "Ada"})));
    assert_eq!(appended["metadata"]["cloudevent"]["source"], json!(format!("/sdk/{name}")));
    let next = &events[1];
    assert_eq!((&next["type"], &next["data"]), (&json!("Moved"), &json!({"by": 1.5})));
    assert_eq!(next["metadata"]["cloudevent"]["subject"], json!("UA 1545"));
    assert_eq!(events.as_array().unwrap().len(), 2, "a repeat is found");
    println!("ok {name} appends CloudEvents, in structured and in binary mode");

    let mut messages = Vec::new();
    for mode in ["structured", "binary"] {
        let secret = format!("file:{}", folder.path().join("secret").display());
        let settings = json!({
            "kind": "webhook", "url": format!("http://127.0.0.1:{port}/"), "secret": secret, "content_mode": mode, "max_tries": 1,
        });
        let answer = host.send(host.request(Method::PUT, &format!("/v1/sinks/{mode}")).json(&settings)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        messages.push((mode, message(mode, 12, subject)));
    }
    let mut transaction = begin(&database.pool().await).await.unwrap();
    let sent: Vec<NewMessage> = messages.iter().map(|(_, message)| message.clone()).collect();
    enqueue(&mut transaction, &sent).await.unwrap();
    transaction.commit().await.unwrap();
    until("no message waits", async || host.json("/v1/outbox?state=pending").await["messages"] == json!([])).await;
    assert_eq!(host.json("/v1/outbox?state=failed").await["messages"], json!([]));

    let url = format!("http://127.0.0.1:{port}/");
    let received: Vec<Value> = test_support::client().get(url).send().await.unwrap().json().await.unwrap();
    for (mode, message) in messages {
        let expected = json!({
            "mode": mode, "id": message.id, "source": "/reactors/delays", "type": "FlightDelayed", "subject": subject,
            "partitionkey": "flight-7", "gnomonposition": "12", "data": {"minutes": 137, "to": "Zürich"},
        });
        let mut found = received.iter().find(|event| event["mode"] == mode).unwrap().clone();
        let time = found.as_object_mut().unwrap().remove("time").unwrap();
        assert!(time.as_str().unwrap().starts_with("2013-01-01T10:00:00.25"), "{time}");
        assert_eq!(found, expected);
        println!("ok {name} takes a signed CloudEvent in mode {mode}");
    }
}
