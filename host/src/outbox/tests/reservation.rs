//! Messages that are sent as soon as they are committed, without a look for them.

use std::sync::atomic::Ordering;

use super::{
    super::intake::{AT_ONCE, Intake},
    receiver::{Received, Receiver, Reply},
    *,
};

/// An outbox that finds nothing by itself: what is sent was handed to its worker, or its worker was woken.
async fn outbox_that_never_looks(test: &TestOutbox, name: &str) -> Outbox {
    let settings = OutboxSettings { look_every: Duration::from_secs(3600), ..settings(&test.folder) };
    let outbox = Outbox::start(test.log.pool.clone(), test.log.log.clone(), settings).unwrap();
    let has_looked = |intake: Intake| intake.looks.load(Ordering::Acquire) > 0;
    until("its worker has looked once", async || outbox.intakes.of(&sink(name)).is_some_and(has_looked)).await;
    outbox
}

/// Runs the statement that adds messages, if `moved` says so; returns the keys that it has claimed.
async fn add(pool: &PgPool, reservation: &Reservation, messages: &[NewMessage], moved: bool) -> Vec<ClaimedKey> {
    let parts = enqueue_parts("moved", "moved.is_followed", 2);
    let text = format!("WITH moved AS (SELECT $1 AS is_followed WHERE $1){parts}");
    let rows = bind_parts(sqlx::query(&text).bind(moved), messages, reservation).fetch_all(pool).await.unwrap();
    assert_eq!(rows.is_empty(), !moved);
    claimed_keys(&rows, 1).unwrap()
}

/// Reserves permits. While the worker looks for messages it has all of them, which it does whenever it is woken.
async fn reserve(outbox: &Outbox, messages: &[NewMessage]) -> Reservation {
    let mut reservation = outbox.reserve(messages);
    until("the worker does not look for messages", async || {
        if reservation.seconds(&messages[0].sink).is_none() {
            reservation = outbox.reserve(messages);
        }
        reservation.seconds(&messages[0].sink).is_some()
    })
    .await;
    reservation
}

/// Adds messages and has them sent.
async fn send(outbox: &Outbox, pool: &PgPool, messages: &[NewMessage]) -> usize {
    let has_worker = outbox.intakes.of(&messages[0].sink).is_some();
    let reservation = match has_worker && messages.len() <= AT_ONCE {
        true => reserve(outbox, messages).await,
        false => outbox.reserve(messages),
    };
    let claimed = add(pool, &reservation, messages, true).await;
    let count = claimed.len();
    outbox.committed(reservation, claimed, messages).await;
    count
}

fn numbers(received: &[Received], key: &str) -> Vec<u64> {
    let data = received.iter().map(Received::data).filter(|data| data["key"] == key);
    data.map(|data| data["number"].as_u64().unwrap()).collect()
}

async fn keys(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM gnomon.outbox_keys").fetch_one(pool).await.unwrap()
}

fn free(outbox: &Outbox, name: &str) -> usize {
    outbox.intakes.of(&sink(name)).unwrap().permits.available_permits()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_handed_to_the_worker_and_come_as_all_others_do() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, _| Reply::Status(204, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    let messages = [message("orders", "a", 1), message("orders", "b", 1), message("orders", "a", 2)];
    assert_eq!(send(&outbox, test.pool(), &messages).await, 2);
    test.until_all_are(MessageState::Delivered).await;
    let received = receiver.received();
    assert_eq!((numbers(&received, "a"), numbers(&received, "b")), (vec![1, 2], vec![1]));
    let first = received.iter().find(|request| request.data() == json!({"key": "a", "number": 1})).unwrap();
    let event: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!((&event["id"], &event["time"]), (&json!(messages[0].id), &json!("2013-01-01T10:00:00Z")));
    assert_eq!((&event["subject"], &event["type"]), (&json!("flight 1"), &json!("FlightDelayed")));
    assert_eq!((&event["gnomonposition"], &event["source"]), (&json!("1"), &json!("/reactors/delays")));
    until("nothing is left", async || keys(test.pool()).await == 0 && free(&outbox, "orders") == 16).await;
    assert_eq!(test.message(messages[0].id).await.tries, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_behind_a_key_that_is_being_sent_wait_for_it() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Status(503, "not now"),
        _ => Reply::Status(200, ""),
    })
    .await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    assert_eq!(send(&outbox, test.pool(), &[message("orders", "k", 1)]).await, 1);
    until("its try has failed", async || {
        test.outbox.messages(&WantedMessages { limit: 9, ..WantedMessages::default() }).await.unwrap()[0].tries == 1
    })
    .await;
    assert_eq!(send(&outbox, test.pool(), &[message("orders", "k", 2), message("orders", "j", 1)]).await, 1);
    until("the other key is sent", async || numbers(&receiver.received(), "j") == [1]).await;
    until("its turn has come", async || {
        outbox.wake(&sink("orders"));
        numbers(&receiver.received(), "k") == [1, 1, 2]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_worker_can_send_at_once_is_not_claimed_for_it() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    let messages: Vec<NewMessage> = (0..40).map(|n| message("orders", &format!("k{n}"), n)).collect();
    assert_eq!(send(&outbox, test.pool(), &messages).await, 0);
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(receiver.count(), 40);
    // A sink that nobody has made has no worker.
    assert_eq!(send(&outbox, test.pool(), &[message("nobody", "k", 1)]).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_is_not_there_and_takes_no_permit() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    let messages = [message("orders", "k", 1)];
    let reservation = reserve(&outbox, &messages).await;
    until("one permit is taken", async || free(&outbox, "orders") == 15).await;
    assert!(add(test.pool(), &reservation, &messages, false).await.is_empty());
    drop(reservation);
    until("it is given back", async || free(&outbox, "orders") == 16).await;
    assert_eq!((keys(test.pool()).await, test.states().await.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_there_already_is_not_sent_again() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    let messages = [message("orders", "k", 1)];
    send(&outbox, test.pool(), &messages).await;
    until("it is delivered", async || keys(test.pool()).await == 0 && receiver.count() == 1).await;
    send(&outbox, test.pool(), &messages).await;
    until("the key is given back", async || keys(test.pool()).await == 0 && free(&outbox, "orders") == 16).await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_claimed_for_a_host_that_stops_another_one_sends() {
    let test = TestOutbox::open().await;
    test.outbox.stop().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let outbox = outbox_that_never_looks(&test, "orders").await;
    let messages = [message("orders", "k", 1)];
    let reservation = reserve(&outbox, &messages).await;
    outbox.stop().await;
    let claimed = add(test.pool(), &reservation, &messages, true).await;
    assert_eq!(claimed.len(), 1);
    outbox.committed(reservation, claimed, &messages).await;
    assert_eq!(receiver.count(), 0);
    // Without waiting for the end of a claim, which would be 16 s.
    let other = outbox_that_never_looks(&test, "orders").await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(receiver.count(), 1);
    other.stop().await;
}
