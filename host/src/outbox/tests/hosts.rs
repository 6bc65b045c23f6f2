//! Several hosts, and hosts that are killed.

use std::collections::BTreeMap;

use super::{receiver::Reply, *};

/// Each claim ends now, as it would by itself if its host is gone.
async fn end_claims(pool: &PgPool) {
    sqlx::query("UPDATE gnomon.outbox_keys SET due_at = now() WHERE claim IS NOT NULL").execute(pool).await.unwrap();
}

/// Kills a host: all its tasks are dropped where they are.
async fn kill(outbox: &Outbox) {
    let deliverer = outbox.deliverer.lock().await.take().unwrap();
    deliverer.abort();
    let _ = deliverer.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_share_the_keys_and_keep_the_order() {
    let test = TestOutbox::open().await;
    let other = test.other_host();
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    for part in 0..10 {
        let messages: Vec<NewMessage> =
            (0..40).map(|n| message("orders", &format!("k{}", n % 20), part * 100 + n)).collect();
        test.enqueue(&messages).await;
        other.wake(&sink("orders"));
    }
    test.until_all_are(MessageState::Delivered).await;
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for request in receiver.received() {
        let data = request.data();
        let number = data["number"].as_u64().unwrap();
        let before = last.insert(data["key"].as_str().unwrap().to_owned(), number);
        assert!(before.is_none_or(|before| before < number), "{data} after {before:?}");
    }
    assert_eq!(receiver.count(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_host_was_sending_another_one_sends_again() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, before| if before == 0 { Reply::Hang } else { Reply::Status(200, "") }).await;
    test.put("orders", &SinkSettings { timeout_seconds: 60, ..test.webhook(&receiver) }).await;
    let messages = [message("orders", "k", 1), message("orders", "k", 2)];
    test.enqueue(&messages).await;
    until("it is being sent", async || receiver.count() == 1).await;
    kill(&test.outbox).await;
    let other = test.other_host();
    // A claim holds until it ends.
    until("the other host has a worker", async || other.intakes.of(&sink("orders")).is_some()).await;
    assert_eq!(receiver.count(), 1);
    end_claims(test.pool()).await;
    test.until_all_are(MessageState::Delivered).await;
    let ids: Vec<String> =
        receiver.received().iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect();
    let [first, second] = messages.map(|message| message.id.to_string());
    assert_eq!(ids, [first.clone(), first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_claim_has_ended_writes_nothing() {
    let test = TestOutbox::open().await;
    let orders = sink("orders");
    // Without a sink no host claims it by itself.
    let messages = [message("orders", "k", 1), message("orders", "k", 2)];
    test.enqueue(&messages).await;
    let lasts = Duration::from_secs(60);
    let (old, first) = claim::claim(test.pool(), &orders, 10, lasts).await.unwrap().remove(0);
    assert_eq!(first.id, messages[0].id);
    assert!(claim::claim(test.pool(), &orders, 10, lasts).await.unwrap().is_empty(), "it is claimed");
    end_claims(test.pool()).await;
    let (new, _) = claim::claim(test.pool(), &orders, 10, lasts).await.unwrap().remove(0);
    let done = claim::Done { state: MessageState::Delivered, tries: 1, error: None };
    assert!(matches!(claim::finish(test.pool(), &old, first.number, done, true).await.unwrap(), claim::Next::Lost));
    claim::postpone(test.pool(), &old, first.number, 1, "late", lasts).await.unwrap();
    let found = test.message(first.id).await;
    assert_eq!((found.state, found.tries, found.error), (MessageState::Pending, 0, None));
    let next = claim::finish(test.pool(), &new, first.number, done, true).await.unwrap();
    let claim::Next::Message(next) = next else { panic!("{next:?}") };
    assert_eq!(next.id, messages[1].id);
    let end = claim::finish(test.pool(), &new, next.number, done, true).await.unwrap();
    assert!(matches!(end, claim::Next::Nothing));
}

/// Hosts are killed again and again while messages come; each comes at least once, and none before an earlier one of its key was there.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_killed_lose_nothing() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let mut host = test.outbox.clone();
    for round in 0..15 {
        let messages: Vec<NewMessage> =
            (0..30).map(|n| message("orders", &format!("k{}", n % 5), round * 100 + n)).collect();
        test.enqueue(&messages).await;
        host.wake(&sink("orders"));
        let so_far = receiver.count();
        until("the host works", async || receiver.count() > so_far).await;
        kill(&host).await;
        host = test.other_host();
        end_claims(test.pool()).await;
    }
    test.until_all_are(MessageState::Delivered).await;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut numbers = std::collections::BTreeSet::new();
    for request in receiver.received() {
        let data = request.data();
        let (key, number) = (data["key"].as_str().unwrap().to_owned(), data["number"].as_u64().unwrap());
        let highest = seen.entry(key.clone()).or_default();
        // A repeat of the last one may come; never one that was before it.
        assert!(number >= *highest, "{key}: {number} after {highest}");
        *highest = number;
        numbers.insert((key, number));
    }
    assert_eq!(numbers.len(), 450);
}
