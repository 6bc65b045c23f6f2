//! The outbox on a real Postgres, with receivers that fail, hang and lie.

mod calls;
mod delivery;
mod hosts;
mod lies;
mod operators;
mod receiver;
mod reservation;
mod wire;

use std::{fs, time::Duration};

use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use test_support::until;
use uuid::Uuid;

use self::receiver::Receiver;
use super::*;
use crate::{
    event_log::{
        JsonText, Position,
        tests::{TestLog, json as json_text},
    },
    postgres::{PgTimestamp, begin},
};

/// The secret of the sinks of these tests.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An outbox with a log in a database of its own.
struct TestOutbox {
    outbox: Outbox,
    log: TestLog,
    folder: TempDir,
}

impl TestOutbox {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        fs::write(folder.path().join("token"), "Bearer of-good-news").unwrap();
        let log = TestLog::open().await;
        let outbox = Outbox::start(log.pool.clone(), log.log.clone(), settings(&folder)).unwrap();
        Self { outbox, log, folder }
    }

    /// The same outbox as another host has it.
    fn other_host(&self) -> Outbox {
        Outbox::start(self.log.pool.clone(), self.log.log.clone(), settings(&self.folder)).unwrap()
    }

    fn pool(&self) -> &PgPool {
        &self.log.pool
    }

    fn secret(&self, name: &str) -> SecretRef {
        SecretRef::new(&format!("file:{}", self.folder.path().join(name).display())).unwrap()
    }

    fn webhook(&self, receiver: &Receiver) -> SinkSettings {
        SinkSettings {
            kind: SinkKind::Webhook,
            url: SinkUrl::new(&receiver.url("/hook")).unwrap(),
            secret: Some(self.secret("secret")),
            credentials: None,
            content_mode: ContentMode::Structured,
            subject: None,
            stream: None,
            after: 0,
            timeout_seconds: 1,
            max_tries: 20,
        }
    }

    fn endpoint(&self, receiver: &Receiver) -> SinkSettings {
        SinkSettings {
            kind: SinkKind::Endpoint,
            secret: None,
            url: SinkUrl::new(&receiver.url("/pay")).unwrap(),
            ..self.webhook(receiver)
        }
    }

    async fn put(&self, name: &str, settings: &SinkSettings) {
        settings.check().unwrap();
        self.outbox.put_sink(&sink(name), settings).await.unwrap();
    }

    /// Enqueues messages and commits them.
    async fn enqueue(&self, messages: &[NewMessage]) {
        let mut transaction = begin(self.pool()).await.unwrap();
        enqueue(&mut transaction, messages).await.unwrap();
        transaction.commit().await.unwrap();
        for message in messages {
            self.outbox.wake(&message.sink);
        }
    }

    async fn states(&self) -> Vec<(Uuid, MessageState)> {
        let all = WantedMessages { limit: 100_000, ..WantedMessages::default() };
        self.outbox.messages(&all).await.unwrap().into_iter().map(|message| (message.id, message.state)).collect()
    }

    async fn until_all_are(&self, state: MessageState) {
        until("all messages are done", async || self.states().await.iter().all(|(_, found)| *found == state)).await;
    }

    async fn message(&self, id: Uuid) -> ListedMessage {
        self.outbox.message(id).await.unwrap()
    }

    /// The events of a stream: types and data.
    async fn events(&self, stream: &str) -> Vec<(String, Value)> {
        let stream = crate::event_log::tests::stream(stream);
        let page = self.log.log.read_stream(&stream, None, 100, crate::event_log::Direction::Forward).await.unwrap();
        let events = page.map(|page| page.events).unwrap_or_default();
        events
            .into_iter()
            .map(|event| (event.event_type.into(), serde_json::from_str(event.data.as_str()).unwrap()))
            .collect()
    }
}

/// Pauses are short, and claims end when the test says so.
fn settings(folder: &TempDir) -> OutboxSettings {
    OutboxSettings {
        secrets_dir: Some(folder.path().to_owned()),
        first_retry_pause: Duration::from_millis(10),
        longest_retry_pause: Duration::from_millis(50),
        look_every: Duration::from_millis(20),
        ..OutboxSettings::default()
    }
}

fn sink(name: &str) -> SinkName {
    SinkName::new(name).unwrap()
}

/// The message `number` behind a key, whose data has both.
fn message(sink_name: &str, key: &str, number: u32) -> NewMessage {
    NewMessage {
        traceparent: None,
        id: Uuid::new_v4(),
        reactor: "delays".to_owned(),
        sink: sink(sink_name),
        kind: MessageKind::Publish,
        key: key.to_owned(),
        position: Position(u64::from(number)),
        number: 0,
        message_type: "FlightDelayed".to_owned(),
        subject: Some(format!("flight {number}")),
        data: data(key, number),
        time: PgTimestamp(1_357_034_400_000_000),
    }
}

fn call(sink_name: &str, key: &str, name: &str) -> NewMessage {
    NewMessage { kind: MessageKind::Call { name: name.to_owned() }, ..message(sink_name, key, 1) }
}

fn data(key: &str, number: u32) -> JsonText {
    json_text(&json!({"key": key, "number": number}).to_string())
}
