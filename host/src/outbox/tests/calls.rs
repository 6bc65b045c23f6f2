//! Calls, and their answers.

use super::{outcome::Answer, receiver::Reply, *};

const STREAM: &str = "gnomon:delays-payment";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_back_as_an_event_of_the_reactor() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(201, " {\"receipt\": 1.50} ")).await;
    let endpoint = SinkSettings { credentials: Some(test.secret("token")), ..test.endpoint(&receiver) };
    test.put("pay", &endpoint).await;
    let sent = call("pay", "transfer-1", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Delivered).await;
    let request = receiver.received().remove(0);
    assert_eq!((request.path.as_str(), request.body.as_str()), ("/pay", sent.data.as_str()));
    assert_eq!(request.header("idempotency-key"), Some(sent.id.to_string().as_str()));
    assert_eq!(request.header("authorization"), Some("Bearer of-good-news"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let expected = json!({"name": "payment", "message": sent.id, "status": 201, "data": {"receipt": serde_json::Number::from_string_unchecked("1.50".to_owned())}});
    assert_eq!(test.events(STREAM).await, [("CallSucceeded".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_final_and_comes_back_too() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(422, "no such account")).await;
    test.put("pay", &test.endpoint(&receiver)).await;
    let sent = call("pay", "transfer-1", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Failed).await;
    assert_eq!(receiver.count(), 1);
    let reason = "it answered 422 Unprocessable Entity: no such account";
    let expected = json!({"name": "payment", "message": sent.id, "status": 422, "reason": reason, "tries": 1});
    assert_eq!(test.events(STREAM).await, [("CallFailed".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_answers_has_failed_in_the_end() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Hang).await;
    test.put("pay", &SinkSettings { max_tries: 2, ..test.endpoint(&receiver) }).await;
    let sent = call("pay", "transfer-1", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Failed).await;
    let reason = "no whole answer came within 1 s (timeout_seconds) (after 2 tries, max_tries)";
    let expected = json!({"name": "payment", "message": sent.id, "reason": reason, "tries": 2});
    assert_eq!(test.events(STREAM).await, [("CallFailed".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_is_none_and_a_call_under_way_is_waited_for() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, before| match before {
        0 => Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":".to_vec()),
        1 => Reply::Status(409, "it is under way"),
        _ => Reply::Status(200, ""),
    })
    .await;
    test.put("pay", &test.endpoint(&receiver)).await;
    let sent = call("pay", "transfer-1", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Delivered).await;
    let key = sent.id.to_string();
    assert!(receiver.received().iter().all(|request| request.header("idempotency-key") == Some(key.as_str())));
    let expected = json!({"name": "payment", "message": sent.id, "status": 200, "data": null});
    assert_eq!(test.events(STREAM).await, [("CallSucceeded".to_owned(), expected)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_large_is_not_kept() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Endless).await;
    test.put("pay", &test.endpoint(&receiver)).await;
    let sent = call("pay", "transfer-1", "payment");
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Failed).await;
    let events = test.events(STREAM).await;
    assert_eq!((events[0].0.as_str(), &events[0].1["status"]), ("CallFailed", &json!(200)));
    assert!(events[0].1["reason"].as_str().unwrap().contains("max_call_answer_bytes"));
}

/// A host is killed when the answer is in the log and the message is not marked; the repeat is answered otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_holds() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(404, "")).await;
    let sent = call("pay", "transfer-1", "payment");
    let first = Answer { status: 200, data: serde_json::value::RawValue::from_string("7".to_owned()).unwrap() };
    let of = Call { reactor: "delays", message: sent.id, name: "payment" };
    let state = answers::append(&test.log.log, of, Ok(&first)).await.unwrap();
    assert_eq!(state, MessageState::Delivered);
    test.put("pay", &test.endpoint(&receiver)).await;
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Delivered).await;
    assert_eq!(test.events(STREAM).await.len(), 1);
    assert_eq!(test.message(sent.id).await.error, None);
    // And the same answer again is the same event.
    assert_eq!(answers::append(&test.log.log, of, Ok(&first)).await.unwrap(), MessageState::Delivered);
    assert_eq!(test.events(STREAM).await.len(), 1);
}
