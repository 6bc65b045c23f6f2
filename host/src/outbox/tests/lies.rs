//! Receivers that fail, hang and lie.

use super::{receiver::Reply, *};

/// Sends a message to a webhook that answers so, twice, and returns why it has failed.
async fn why(reply: Reply) -> String {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(move |_, _| reply.clone()).await;
    test.put("orders", &SinkSettings { max_tries: 2, ..test.webhook(&receiver) }).await;
    let sent = message("orders", "k", 1);
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Failed).await;
    let failed = test.message(sent.id).await;
    assert_eq!((failed.tries, receiver.count()), (2, 2));
    failed.error.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_says_what_has_happened() {
    let error = why(Reply::Status(500, "out of\norder")).await;
    assert_eq!(error, "it answered 500 Internal Server Error: out of\\norder (after 2 tries, max_tries)");
    let error = why(Reply::Hang).await;
    assert_eq!(error, "no whole answer came within 1 s (timeout_seconds) (after 2 tries, max_tries)");
    let error = why(Reply::HangAfter(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())).await;
    assert_eq!(error, "no whole answer came within 1 s (timeout_seconds) (after 2 tries, max_tries)");
    let error = why(Reply::Reset).await;
    assert!(error.starts_with("the request broke off: "), "{error}");
    let error = why(Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await;
    assert!(error.starts_with("the request broke off: "), "{error}");
    let error = why(Reply::Bytes(Vec::new())).await;
    assert!(error.starts_with("the request broke off: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(|_, _| Reply::Status(200, "")).await;
    for status in [301, 302, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} X\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            elsewhere.url("/")
        );
        let error = why(Reply::Bytes(head.into_bytes())).await;
        assert!(error.contains("a redirect, which is not followed; change the sink's URL"), "{error}");
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_has_said_yes_is_believed_whatever_follows() {
    for reply in [
        Reply::Endless,
        Reply::HangAfter(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()),
        Reply::Bytes(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nhalf".to_vec()),
        Reply::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n".to_vec()),
    ] {
        let test = TestOutbox::open().await;
        let receiver = Receiver::start(move |_, _| reply.clone()).await;
        test.put("orders", &test.webhook(&receiver)).await;
        test.enqueue(&[message("orders", "k", 1)]).await;
        test.until_all_are(MessageState::Delivered).await;
        assert_eq!(receiver.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_without_an_end_is_read_in_part() {
    let mut bytes = b"HTTP/1.1 500 X\r\ncontent-length: 100000000\r\n\r\n".to_vec();
    bytes.extend_from_slice(&[b'y'; 100_000]);
    let error = why(Reply::HangAfter(bytes)).await;
    assert!(error.len() < 500 && error.contains("yyy"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_gone_is_not_tried_again() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(410, "")).await;
    test.put("orders", &test.webhook(&receiver)).await;
    let messages = [message("orders", "k", 1), message("orders", "k", 2)];
    test.enqueue(&messages).await;
    // One that has failed does not hold up the others.
    test.until_all_are(MessageState::Failed).await;
    assert_eq!(receiver.count(), 2);
    assert_eq!(test.message(messages[0].id).await.error.as_deref(), Some("it answered 410 Gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_on_the_hosts_side_is_named_and_can_be_mended() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    let path = test.folder.path().join("later");
    let later = SinkSettings { secret: Some(test.secret("later")), max_tries: 1000, ..test.webhook(&receiver) };
    test.put("orders", &later).await;
    let sent = message("orders", "k", 1);
    test.enqueue(std::slice::from_ref(&sent)).await;
    let error = async || test.message(sent.id).await.error.unwrap_or_default();
    until("the file is missed", async || error().await.contains("cannot be read from the file")).await;
    fs::write(&path, "not one of webhooks").unwrap();
    until("the secret is looked at", async || error().await.contains("the secret is not one for webhooks")).await;
    fs::write(&path, SECRET).unwrap();
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_of_the_wrong_kind_is_named() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    test.put("hook", &test.webhook(&receiver)).await;
    test.put("pay", &test.endpoint(&receiver)).await;
    let (wrong, other) = (call("hook", "k", "payment"), message("pay", "k", 1));
    test.enqueue(&[wrong.clone(), other.clone()]).await;
    let error = async |id| test.message(id).await.error.unwrap_or_default();
    until("both were tried", async || !error(wrong.id).await.is_empty() && !error(other.id).await.is_empty()).await;
    assert!(error(wrong.id).await.contains("this sink is of the kind `webhook`"));
    assert!(error(other.id).await.contains("this sink is an endpoint"));
    assert_eq!(receiver.count(), 0);
}
