//! What receivers get.

use super::{receiver::Reply, *};

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_a_signed_cloud_event() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    let with_token = SinkSettings { credentials: Some(test.secret("token")), ..test.webhook(&receiver) };
    test.put("orders", &with_token).await;
    let sent = message("orders", "flight-7", 3);
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Delivered).await;
    let request = receiver.received().remove(0);
    assert_eq!(request.path, "/hook");
    assert_eq!(request.header("content-type"), Some("application/cloudevents+json; charset=utf-8"));
    assert_eq!(request.header("authorization"), Some("Bearer of-good-news"));
    let id = sent.id.to_string();
    let expected = json!({
        "specversion": "1.0", "id": id, "source": "/reactors/delays", "type": "FlightDelayed", "subject": "flight 3",
        "time": "2013-01-01T10:00:00Z", "datacontenttype": "application/json", "partitionkey": "flight-7", "gnomonposition": "3",
        "data": {"key": "flight-7", "number": 3},
    });
    assert_eq!(request.json(), expected);
    let timestamp: i64 = request.header("webhook-timestamp").unwrap().parse().unwrap();
    let signature = signature::sign(&secret::Secret::new(SECRET), &id, timestamp, request.body.as_bytes()).unwrap();
    assert_eq!(request.header("webhook-signature"), Some(signature.as_str()));
    assert_eq!(request.header("webhook-id"), Some(id.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_binary_mode_the_attributes_are_headers() {
    let test = TestOutbox::open().await;
    let receiver = Receiver::start(|_, _| Reply::Status(200, "")).await;
    let binary = SinkSettings { content_mode: ContentMode::Binary, ..test.webhook(&receiver) };
    test.put("orders", &binary).await;
    let sent = NewMessage { subject: Some("50 % \"für\"\n".to_owned()), ..message("orders", "flight-7", 3) };
    test.enqueue(std::slice::from_ref(&sent)).await;
    test.until_all_are(MessageState::Delivered).await;
    let request = receiver.received().remove(0);
    assert_eq!(request.body, sent.data.as_str());
    assert_eq!(request.header("content-type"), Some("application/json"));
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", sent.id.to_string().as_str()),
        ("ce-source", "/reactors/delays"),
        ("ce-type", "FlightDelayed"),
        ("ce-subject", "50%20%25%20%22f%C3%BCr%22%0A"),
        ("ce-time", "2013-01-01T10:00:00Z"),
        ("ce-partitionkey", "flight-7"),
        ("ce-gnomonposition", "3"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(request.header("ce-datacontenttype"), None, "it is the content type");
}
