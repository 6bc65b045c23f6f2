//! Messages are delivered, in order, whatever others do.

use std::sync::Arc;

use super::{
    receiver::{Received, Reply},
    *,
};

/// The numbers of the messages of a key, as they came.
fn numbers(received: &[Received], key: &str) -> Vec<u64> {
    let data = received.iter().map(Received::data);
    data.filter(|data| data["key"] == key).map(|data| data["number"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_once_and_in_the_order_of_their_key() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(204, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    for part in 0..5 {
        let messages: Vec<NewMessage> =
            (0..60).map(|n| message("orders", &format!("key-{}", n % 3), part * 100 + n)).collect();
        test.enqueue(&messages).await;
    }
    test.until_all_are(MessageState::Delivered).await;
    let received = receiver.received();
    assert_eq!(received.len(), 300);
    for key in ["key-0", "key-1", "key-2"] {
        let numbers = numbers(&received, key);
        assert!(numbers.len() == 100 && numbers.is_sorted(), "{numbers:?}");
    }
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM gnomon.outbox_keys").fetch_one(test.pool()).await.unwrap();
    assert_eq!(keys, 0, "a key without messages has no row");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tried_again_under_its_id_and_later_ones_wait_for_it() {
    let test = TestOutbox::open().await;
    let receiver =
        Receiver::start(|_, before| if before < 3 { Reply::Status(500, "not now") } else { Reply::Status(200, "") })
            .await;
    test.put("orders", &test.webhook(&receiver)).await;
    let messages: Vec<NewMessage> = (0..3).map(|n| message("orders", "k", n)).collect();
    test.enqueue(&messages).await;
    test.until_all_are(MessageState::Delivered).await;
    let received = receiver.received();
    assert_eq!(numbers(&received, "k"), [0, 0, 0, 0, 1, 2]);
    let ids: Vec<&str> = received.iter().map(|request| request.header("webhook-id").unwrap()).collect();
    assert!(ids[..4].iter().all(|id| *id == messages[0].id.to_string()), "{ids:?}");
    let first = test.message(messages[0].id).await;
    assert_eq!((first.tries, first.error), (4, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_hangs_holds_up_no_other_sink_and_a_key_that_fails_no_other_key() {
    let test = TestOutbox::open().await;
    let dead = Receiver::start(|_, _| Reply::Hang).await;
    let refuses_a =
        Receiver::start(
            |request, _| {
                if request.data()["key"] == "a" { Reply::Status(503, "") } else { Reply::Status(200, "") }
            },
        )
        .await;
    test.put("dead", &test.webhook(&dead)).await;
    test.put("alive", &test.webhook(&refuses_a)).await;
    // More keys than the dead sink is sent at once, and before the others.
    test.enqueue(&(0..40).map(|n| message("dead", &format!("k{n}"), n)).collect::<Vec<_>>()).await;
    until("the dead sink is busy", async || dead.count() >= 16).await;
    let mut messages: Vec<NewMessage> = (0..5).map(|n| message("alive", "a", n)).collect();
    messages.extend((0..50).map(|n| message("alive", &format!("b{}", n % 10), n)));
    test.enqueue(&messages).await;
    let delivered = async || test.states().await.iter().filter(|(_, state)| *state == MessageState::Delivered).count();
    until("all but those of the key that fails are delivered", async || delivered().await == 50).await;
    assert_eq!(numbers(&refuses_a.received(), "a").iter().filter(|number| **number != 0).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_committed_is_not_sent() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    for _ in 0..10 {
        let mut transaction = begin(test.pool()).await.unwrap();
        enqueue(&mut transaction, &[message("orders", "k", 1)]).await.unwrap();
        test.outbox.wake(&sink("orders"));
        drop(transaction);
    }
    let last = message("orders", "k", 2);
    test.enqueue(std::slice::from_ref(&last)).await;
    // An id that is there already is not sent twice.
    test.enqueue(std::slice::from_ref(&last)).await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(numbers(&receiver.received(), "k"), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_a_sink_that_is_not_there_wait_for_it() {
    let test = TestOutbox::open().await;
    let early = message("orders", "k", 1);
    test.enqueue(std::slice::from_ref(&early)).await;
    let readings = test.outbox.readings().await.unwrap();
    assert_eq!((readings[0].sink.as_str(), readings[0].pending, readings[0].failed), ("orders", 1, 0));
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(receiver.count(), 1);
    let readings = test.outbox.readings().await.unwrap();
    assert_eq!((readings[0].pending, readings[0].oldest_seconds), (0, 0.0));
}

/// The race that the lock on the row of a key decides: a message is added just when the last one before it ends.
#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_left_behind_when_the_last_one_before_it_ends() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    for number in 0..200 {
        test.enqueue(&[message("orders", "k", number)]).await;
        if number % 3 == 0 {
            until("the message is there", async || receiver.count() > number as usize).await;
        }
    }
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(numbers(&receiver.received(), "k"), (0..200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_sink_holds_for_messages_that_wait() {
    let test = TestOutbox::open().await;
    let (old, new) =
        (Receiver::start(|_, _| Reply::Status(500, "")).await, Receiver::start(|_, _| Reply::Status(200, "")).await);
    test.put("orders", &test.webhook(&old)).await;
    test.enqueue(&[message("orders", "k", 1)]).await;
    until("it was tried", async || old.count() > 0).await;
    test.put("orders", &test.webhook(&new)).await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(new.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_stops_ends_what_is_under_way() {
    let test = TestOutbox::open().await;
    let told = Arc::new(Notify::new());
    let when = Arc::clone(&told);
    let receiver = Receiver::start(move |_, _| Reply::When(Arc::clone(&when))).await;
    let slow = SinkSettings { timeout_seconds: 60, ..test.webhook(&receiver) };
    test.put("orders", &slow).await;
    test.enqueue(&[message("orders", "k", 1)]).await;
    until("it is being sent", async || receiver.count() == 1).await;
    let outbox = test.outbox.clone();
    let stopping = tokio::spawn(async move { outbox.stop().await });
    told.notify_one();
    stopping.await.unwrap();
    test.until_all_are(MessageState::Delivered).await;
}
