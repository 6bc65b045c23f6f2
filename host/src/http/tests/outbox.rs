//! Sinks and messages over HTTP.

use super::*;
use crate::{
    event_log::{JsonText, Position},
    outbox::{MessageKind, NewMessage, SinkName, enqueue},
    postgres::{PgTimestamp, begin},
};

async fn put(api: &TestApi, name: &str, settings: &Value) -> Answer {
    let request = Request::put(format!("/v1/sinks/{name}")).header(header::CONTENT_TYPE, "application/json");
    api.send(request.body(Body::from(settings.to_string())).unwrap()).await
}

async fn delete(api: &TestApi, path: &str) -> Answer {
    api.send(Request::delete(path).body(Body::empty()).unwrap()).await
}

fn webhook() -> Value {
    // Port 9 takes nothing.
    json!({"kind": "webhook", "url": "http://127.0.0.1:9/hook", "secret": "env:GNOMON_SECRET_OF_NOBODY"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_is_made_changed_listed_and_removed() {
    let api = TestApi::start().await;
    let made = put(&api, "orders", &webhook()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let mut found = made.json();
    for time in ["created_at", "changed_at"] {
        assert!(found.as_object_mut().unwrap().remove(time).is_some_and(|time| time.is_string()));
    }
    let expected = json!({
        "name": "orders", "kind": "webhook", "url": "http://127.0.0.1:9/hook", "secret": "env:GNOMON_SECRET_OF_NOBODY",
        "content_mode": "structured", "timeout_seconds": 10, "max_tries": 20,
    });
    assert_eq!(found, expected);
    let endpoint = json!({"kind": "endpoint", "url": "https://example.com/pay", "max_tries": 3});
    assert_eq!(put(&api, "orders", &endpoint).await.status, StatusCode::OK);
    let found = api.get("/v1/sinks/orders").await.json();
    assert_eq!((&found["kind"], &found["secret"], &found["max_tries"]), (&json!("endpoint"), &json!(null), &json!(3)));
    assert_eq!(api.get("/v1/sinks").await.json()["sinks"].as_array().unwrap().len(), 1);
    assert_eq!(delete(&api, "/v1/sinks/orders").await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete(&api, "/v1/sinks/orders").await.problem(), "404 sink_not_found: there is no sink `orders`");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_sink_is_named_and_no_secret_is_shown() {
    let api = TestApi::start().await;
    let with = |name: &str, value: Value| {
        let mut settings = webhook();
        settings[name] = value;
        settings
    };
    for (settings, field) in [
        (with("kind", json!("pigeon")), "kind"),
        (with("url", json!("ftp://example.com")), "url"),
        (with("url", json!("https://ada:secretpw@example.com")), "url"),
        (with("secret", json!("whsec_secretpw")), "secret"),
        (with("secret", json!("env:DATABASE_URL")), "secret"),
        (with("credentials", json!("Bearer secretpw")), "credentials"),
        (with("content_mode", json!("loud")), "content_mode"),
        (with("subject", json!("a.b")), "subject"),
        (with("timeout_seconds", json!(0)), "timeout_seconds"),
        (with("max_tries", json!(1001)), "max_tries"),
        (json!({"kind": "webhook", "url": "https://example.com"}), "secret"),
    ] {
        let answer = put(&api, "orders", &settings).await;
        assert!(answer.problem().starts_with(&format!("422 invalid_body: `{field}`: ")), "{}", answer.text());
        assert_eq!(answer.json()["field"], json!(field));
        assert!(!answer.text().contains("secretpw"), "{}", answer.text());
    }
    let problem = put(&api, "Orders", &webhook()).await.problem();
    assert!(problem.starts_with("400 invalid_path: `Orders` is not the name of a sink"), "{problem}");
    assert_eq!(api.get("/v1/sinks").await.json(), json!({"sinks": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_tried_again_and_dropped() {
    let api = TestApi::start().await;
    assert_eq!(put(&api, "orders", &webhook()).await.status, StatusCode::CREATED);
    let message = |number: u32, kind| NewMessage {
        traceparent: None,
        id: uuid::Uuid::from_u128(u128::from(number) + 1),
        reactor: "delays".to_owned(),
        sink: SinkName::new("orders").unwrap(),
        kind,
        key: "flight-7".to_owned(),
        position: Position(12),
        number,
        message_type: "FlightDelayed".to_owned(),
        subject: None,
        data: JsonText::parse(r#"{"minutes": 137.50}"#).unwrap(),
        time: PgTimestamp(0),
    };
    let call = MessageKind::Call { name: "payment".to_owned() };
    let mut transaction = begin(api.pool()).await.unwrap();
    enqueue(&mut transaction, &[message(0, MessageKind::Publish), message(1, call)]).await.unwrap();
    transaction.commit().await.unwrap();

    let first = format!("/v1/outbox/{}", uuid::Uuid::from_u128(1));
    test_support::until("it was tried", async || api.get(&first).await.json()["error"].is_string()).await;
    let found = api.get(&first).await;
    let error = found.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("no variable `GNOMON_SECRET_OF_NOBODY`"), "{error}");
    assert!(found.text().contains(r#""data":{"minutes": 137.50}"#), "{}", found.text());
    let page = api.get("/v1/outbox?sink=orders&state=pending&reactor=delays&limit=1").await.json();
    assert_eq!(page["messages"][0]["type"], json!("FlightDelayed"));
    let next = api.get(&format!("/v1/outbox?after={}", page["next"])).await.json();
    assert_eq!((&next["messages"][0]["call"], &next["next"]), (&json!("payment"), &json!(null)));
    assert_eq!(api.get("/v1/outbox?state=failed").await.json(), json!({"messages": [], "next": null}));
    let wrong = api.get("/v1/outbox?state=lost").await.problem();
    assert!(wrong.starts_with("400 invalid_query: `lost` is not a state of messages"), "{wrong}");

    let in_use = delete(&api, "/v1/sinks/orders").await.problem();
    assert!(in_use.starts_with("409 sink_in_use: 2 messages wait for the sink `orders`"), "{in_use}");
    let again = api.post(&format!("{first}/retry"), "").await;
    assert_eq!((again.status, &again.json()["state"]), (StatusCode::OK, &json!("pending")));
    assert_eq!(api.post("/v1/sinks/orders/retry", "").await.json(), json!({"retried": 0}));
    assert_eq!(delete(&api, &first).await.status, StatusCode::NO_CONTENT);
    assert!(api.get(&first).await.problem().starts_with("404 message_not_found"));
    assert!(api.get("/v1/outbox/7").await.problem().starts_with("400 invalid_path: `7` is not the id of a message"));
    let call = format!("/v1/outbox/{}", uuid::Uuid::from_u128(2));
    assert_eq!(delete(&api, &call).await.status, StatusCode::NO_CONTENT);
    let told = api.get("/v1/streams/gnomon:delays-payment/events").await.json();
    assert_eq!(told["events"][0]["type"], json!("CallFailed"));

    // The same settings again change nothing.
    assert_eq!(put(&api, "orders", &webhook()).await.status, StatusCode::OK);
    assert_eq!(delete(&api, "/v1/sinks/orders").await.status, StatusCode::NO_CONTENT);
    let page = api.get("/v1/sinks/orders/history").await.json();
    let [one, two] = [1, 2].map(|number| json!(uuid::Uuid::from_u128(number)));
    let entries = page["history"].as_array().unwrap().iter();
    let found: Vec<Value> = entries.map(|entry| json!([entry["message"], entry["change"], entry["cause"]])).collect();
    assert_eq!(
        found,
        [
            json!([null, "removed", "an operator removed it"]),
            json!([two, "message_dropped", "an operator dropped it; its state was pending"]),
            json!([one, "message_dropped", "an operator dropped it; its state was pending"]),
            json!([null, "retried", "an operator sent it what waits, and 0 that had failed"]),
            json!([one, "message_retried", "an operator sent it again; its state was pending"]),
            json!([null, "made", format!("an operator made it: webhook to {}", webhook()["url"].as_str().unwrap())]),
        ]
    );
    let older =
        api.get(&format!("/v1/sinks/orders/history?limit=1&after={}", page["history"][4]["entry"])).await.json();
    assert_eq!(older["history"][0]["change"], json!("made"));
    let never = api.get("/v1/sinks/nobody/history").await.problem();
    assert_eq!(never, "404 sink_not_found: there is no sink `nobody`, and never was");
}
