//! What operators do: list, retry, drop, remove sinks.

use super::{receiver::Reply, *};

async fn failed(test: &TestOutbox, receiver: &Receiver, count: u32) -> Vec<NewMessage> {
    test.put("orders", &SinkSettings { max_tries: 1, ..test.webhook(receiver) }).await;
    let messages: Vec<NewMessage> = (0..count).map(|n| message("orders", &format!("k{}", n % 2), n)).collect();
    test.enqueue(&messages).await;
    test.until_all_are(MessageState::Failed).await;
    messages
}

fn of(state: MessageState) -> WantedMessages {
    WantedMessages { state: Some(state), limit: 10, ..WantedMessages::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_failed_is_listed_and_sent_again() {
    let test = TestOutbox::open().await;
    let receiver =
        Receiver::start(|_, before| if before < 4 { Reply::Status(500, "") } else { Reply::Status(200, "") }).await;
    let messages = failed(&test, &receiver, 4).await;
    let listed = test.outbox.messages(&of(MessageState::Failed)).await.unwrap();
    assert_eq!(listed.len(), 4);
    let page = WantedMessages { after: listed[1].number, ..of(MessageState::Failed) };
    assert_eq!(test.outbox.messages(&page).await.unwrap().len(), 2);
    let none = WantedMessages { sink: Some(sink("other")), ..of(MessageState::Failed) };
    assert!(test.outbox.messages(&none).await.unwrap().is_empty());
    assert_eq!(test.outbox.readings().await.unwrap()[0].failed, 4);

    test.outbox.retry(messages[0].id).await.unwrap();
    until("it is delivered", async || test.message(messages[0].id).await.state == MessageState::Delivered).await;
    assert!(matches!(test.outbox.retry(messages[0].id).await, Err(MessageError::Delivered(_))));
    assert_eq!(test.outbox.retry_sink(&sink("orders")).await.unwrap(), 3);
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(test.outbox.retry_sink(&sink("orders")).await.unwrap(), 0);
    assert!(matches!(test.outbox.retry_sink(&sink("none")).await, Err(ChangeSinkError::Unknown(_))));
    assert!(matches!(test.outbox.retry(Uuid::new_v4()).await, Err(MessageError::Unknown(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_pause_is_cut_short() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    let waiting = message("orders", "k", 1);
    test.enqueue(std::slice::from_ref(&waiting)).await;
    sqlx::query("UPDATE gnomon.outbox_keys SET due_at = now() + interval '1 hour'").execute(test.pool()).await.unwrap();
    test.put("orders", &test.webhook(&receiver)).await;
    let found = test.message(waiting.id).await;
    assert!(found.next_try_at.unwrap() > found.enqueued_at);
    assert_eq!(test.outbox.retry_sink(&sink("orders")).await.unwrap(), 0);
    test.until_all_are(MessageState::Delivered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_not_sent_and_the_next_one_is() {
    let test = TestOutbox::open().await;
    let messages = [message("orders", "k", 1), message("orders", "k", 2), message("orders", "j", 3)];
    test.enqueue(&messages).await;
    test.outbox.drop_message(messages[0].id).await.unwrap();
    test.outbox.drop_message(messages[2].id).await.unwrap();
    assert!(matches!(test.outbox.drop_message(messages[0].id).await, Err(MessageError::Unknown(_))));
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(
        receiver.received().iter().map(|request| request.data()["number"].as_u64()).collect::<Vec<_>>(),
        [Some(2)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reactor_of_a_dropped_call_is_told() {
    let test = TestOutbox::open().await;
    let dropped = call("pay", "k", "payment");
    test.enqueue(std::slice::from_ref(&dropped)).await;
    test.outbox.drop_message(dropped.id).await.unwrap();
    let expected =
        json!({"name": "payment", "message": dropped.id, "reason": "an operator has dropped it", "tries": 0});
    assert_eq!(test.events("gnomon:delays-payment").await, [("CallFailed".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_while_it_is_made_may_have_been_carried_out() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Hang).await;
    test.put("pay", &SinkSettings { timeout_seconds: 60, ..test.endpoint(&receiver) }).await;
    let dropped = call("pay", "k", "payment");
    test.enqueue(std::slice::from_ref(&dropped)).await;
    until("it is made", async || receiver.count() == 1).await;
    test.outbox.drop_message(dropped.id).await.unwrap();
    let reason = "an operator has dropped it while it was being sent, so it may have been carried out";
    let expected = json!({"name": "payment", "message": dropped.id, "reason": reason, "tries": 1});
    assert_eq!(test.events("gnomon:delays-payment").await, [("CallFailed".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_has_failed_is_not_made_again() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(400, "")).await;
    test.put("pay", &test.endpoint(&receiver)).await;
    let sent = call("pay", "k", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Failed).await;
    // Its reactor knows of it, and nobody else has to see to it.
    assert_eq!(test.outbox.readings().await.unwrap()[0].failed, 0);
    assert!(matches!(test.outbox.retry(sent.id).await, Err(MessageError::Answered(_))));
    assert_eq!(test.outbox.retry_sink(&sink("pay")).await.unwrap(), 0);
    test.outbox.drop_message(sent.id).await.unwrap();
    assert_eq!(test.events("gnomon:delays-payment").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_for_which_messages_wait_stays() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(500, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let waiting = message("orders", "k", 1);
    test.enqueue(std::slice::from_ref(&waiting)).await;
    let error = test.outbox.delete_sink(&sink("orders")).await.unwrap_err().to_string();
    assert!(error.starts_with("1 messages wait for the sink `orders`"), "{error}");
    test.outbox.drop_message(waiting.id).await.unwrap();
    test.outbox.delete_sink(&sink("orders")).await.unwrap();
    assert!(matches!(test.outbox.delete_sink(&sink("orders")).await, Err(ChangeSinkError::Unknown(_))));
    assert!(test.outbox.sinks().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_bound_for_sinks() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    let settings = test.webhook(&receiver);
    for number in 0..MAX_SINKS {
        let (_, is_new) = test.outbox.put_sink(&sink(&format!("s{number}")), &settings).await.unwrap();
        assert!(is_new);
    }
    assert!(matches!(test.outbox.put_sink(&sink("more"), &settings).await, Err(ChangeSinkError::TooMany)));
    let (_, is_new) = test.outbox.put_sink(&sink("s0"), &settings).await.unwrap();
    assert!(!is_new);
}

#[tokio::test(flavor = "multi_thread")]
async fn delivered_messages_are_removed_after_a_while() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    test.enqueue(&[message("orders", "k", 1), message("orders", "k", 2)]).await;
    test.until_all_are(MessageState::Delivered).await;
    sqlx::query("UPDATE gnomon.outbox SET done_at = done_at - interval '25 hours' WHERE position = 1")
        .execute(test.pool())
        .await
        .unwrap();
    let other = test.other_host();
    until("the old one is gone", async || test.states().await.len() == 1).await;
    other.stop().await;
}
