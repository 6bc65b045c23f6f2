//! The commands on sinks and messages.

use gnomon::{
    event_log::{JsonText, Position},
    outbox::{MessageKind, NewMessage, SinkName, enqueue},
    postgres::{PgTimestamp, begin, test_database::TestDatabase},
};
use serde_json::Value;

use super::{refused, run};
use crate::support::{Host, until};

#[tokio::test(flavor = "multi_thread")]
async fn sinks_are_made_and_messages_are_seen_sent_again_and_dropped() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    assert_eq!(run(&host, &["sinks"]).await.err, "there are no sinks; `gnomon sinks put` makes one\n");
    // Nothing listens on port 9.
    let put = [
        "sinks",
        "put",
        "orders",
        "--kind",
        "webhook",
        "--to",
        "http://127.0.0.1:9/",
        "--secret",
        "env:GNOMON_SECRET_OF_NOBODY",
        "--max-tries",
        "1",
    ];
    assert_eq!(run(&host, &put).await.err, "sink `orders` is made\n");
    assert_eq!(run(&host, &put).await.err, "sink `orders` is changed\n");
    insta::assert_snapshot!(refused(&host, &["sinks", "put", "orders", "--kind", "webhook", "--to", "http://ada:pw@a.example/"]).await, @r"
    error: `url`: a URL with a user or a password is not taken, since it would be shown; give them by reference, as `credentials`
      see <host>/errors/invalid_body
    ");
    insta::assert_snapshot!(run(&host, &["sinks"]).await.out, @r"
    SINK    KIND     URL                  SECRET                       TIMEOUT  TRIES
    orders  webhook  http://127.0.0.1:9/  env:GNOMON_SECRET_OF_NOBODY     10 s      1
    ");

    let id = uuid::Uuid::from_u128(7);
    let message = NewMessage {
        id,
        reactor: "delays".to_owned(),
        sink: SinkName::new("orders").unwrap(),
        kind: MessageKind::Publish,
        key: "flight-7".to_owned(),
        position: Position(1),
        number: 0,
        message_type: "FlightDelayed".to_owned(),
        subject: None,
        data: JsonText::parse("{\"minutes\": 137}").unwrap(),
        time: PgTimestamp(0),
        traceparent: None,
    };
    let mut transaction = begin(&database.pool().await).await.unwrap();
    enqueue(&mut transaction, &[message]).await.unwrap();
    transaction.commit().await.unwrap();
    let id = id.to_string();
    let state = async || {
        let shown: Value = serde_json::from_str(&run(&host, &["outbox", "show", &id]).await.out).unwrap();
        shown["state"].as_str().unwrap().to_owned()
    };
    until("it has failed", async || state().await == "failed").await;
    insta::assert_snapshot!(run(&host, &["outbox", "--state", "failed"]).await.out, @r"
    ID                                    REACTOR  SINK    TYPE           KEY       STATE   TRIES  ERROR
    00000000-0000-0000-0000-000000000007  delays   orders  FlightDelayed  flight-7  failed      1  this host has no variable `GNOMON_SECRET_OF_NOBODY`, or one …
    ");
    assert_eq!(run(&host, &["outbox", "--state", "pending"]).await.err, "there are no such messages\n");
    assert_eq!(run(&host, &["outbox", "retry", &id]).await.err, "the message is sent to `orders` again\n");
    until("it has failed again", async || state().await == "failed").await;
    let said = run(&host, &["sinks", "retry", "orders"]).await.err;
    assert_eq!(said, "sent again: 1 message that had failed, and all that wait\n");
    until("it has failed for the third time", async || state().await == "failed").await;
    assert_eq!(run(&host, &["outbox", "drop", &id]).await.err, "the message is dropped\n");
    insta::assert_snapshot!(refused(&host, &["outbox", "show", &id]).await, @r"
    error: there is no message 00000000-0000-0000-0000-000000000007 in the outbox; one that was delivered is kept for a while only
      see <host>/errors/message_not_found
    ");
    assert_eq!(run(&host, &["sinks", "delete", "orders"]).await.err, "sink `orders` is removed\n");
    let history = run(&host, &["sinks", "history", "orders", "--limit", "2"]).await.out;
    let lines: Vec<Vec<&str>> = history.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0].join(" "), "AT MESSAGE CHANGE BY CAUSE");
    assert_eq!(lines[1][1..].join(" "), "removed anyone an operator removed it");
    assert_eq!(
        lines[2][1..].join(" "),
        format!("{id} message dropped anyone an operator dropped it; its state was failed")
    );
    insta::assert_snapshot!(refused(&host, &["sinks", "delete", "orders"]).await, @r"
    error: there is no sink `orders`
      see <host>/errors/sink_not_found
    ");
}
