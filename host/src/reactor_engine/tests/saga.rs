//! The sample that settles transfers: a process of several steps with a clearing house, whose every step is broken off somewhere.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::{faults::dropped_after, *};
use crate::{
    outbox::{ContentMode, SinkKind, SinkName, SinkSettings, SinkUrl},
    reactor_engine::worker::Worker,
};

/// Which transfers were asked for, and how often: by action and transfer.
type Asked = Arc<Mutex<BTreeMap<(String, String), usize>>>;

/// A clearing house that refuses each third transfer.
async fn clearing_house() -> (SocketAddr, Asked) {
    async fn clear(State(asked): State<Asked>, Json(call): Json<Value>) -> (StatusCode, Json<Value>) {
        // The data of the call, whether or not it is in an envelope.
        let call = call.get("data").cloned().unwrap_or(call);
        let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let (action, transfer) = (text("action"), text("transfer"));
        *asked.lock().unwrap().entry((action.clone(), transfer.clone())).or_default() += 1;
        let refused = action == "clear" && transfer.parse::<usize>().is_ok_and(|number| number % 3 == 2);
        let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (status, Json(json!({"transfer": transfer})))
    }
    let asked = Asked::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/clear", post(clear)).with_state(Arc::clone(&asked));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

/// How much an account has got, and how often, by the transfer.
fn moved(events: &[RecordedEvent], account: &str) -> BTreeMap<String, Vec<i64>> {
    let mut moved: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.stream.as_str() == account) {
        let data: Value = serde_json::from_str(event.data.as_str()).unwrap();
        let sign = if event.event_type.as_str() == "MoneyDeposited" { 1 } else { -1 };
        let reference = data["reference"].as_str().unwrap().to_owned();
        moved.entry(reference).or_default().push(sign * data["amount"].as_i64().unwrap());
    }
    moved
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_settled_or_given_back_once_wherever_a_worker_ends() {
    const TRANSFERS: usize = 45;
    let (address, asked) = clearing_house().await;
    let mut test = TestReactor::none().await;
    test.host.reactors.stop().await;
    test.name = Identifier::new("settlement").unwrap();
    let settings = SinkSettings {
        kind: SinkKind::Endpoint,
        url: SinkUrl::new(&format!("http://{address}/clear")).unwrap(),
        secret: None,
        credentials: None,
        content_mode: ContentMode::Structured,
        subject: None,
        stream: None,
        after: 0,
        timeout_seconds: 5,
        max_tries: 20,
    };
    test.host.outbox.put_sink(&SinkName::new("clearing").unwrap(), &settings).await.unwrap();
    let component = test_support::component("settlement");
    test.host.operations.upload(&test.name, component, Activation::Auto).await.unwrap();
    for number in 0..TRANSFERS {
        let request = json!({"from": "1", "to": "2", "amount": 10, "currency": "EUR"});
        test.host.append([(format!("transfer-{number}"), "TransferRequested", request)]).await;
        // The answers to earlier ones come meanwhile, so each step of a transfer is broken off somewhere.
        let worker = Worker::new(test.work().await);
        let stop = worker.stop();
        tokio::select! {
            _ = dropped_after(number, worker.run()) => {}
            () = test.handled() => stop.cancel(),
        }
    }
    let host = test.other_host().await;
    let ended = async || {
        let events = test.done().await;
        events.iter().filter(|event| matches!(event.event_type.as_str(), "TransferSettled" | "TransferFailed")).count()
    };
    test_support::until("all transfers have ended", async || ended().await >= TRANSFERS).await;
    test.handled().await;
    let events = test.done().await;
    assert_eq!(ended().await, TRANSFERS);
    let (payer, payee) = (moved(&events, "account-1"), moved(&events, "account-2"));
    for number in 0..TRANSFERS {
        let reference = format!("transfer-{number}");
        let (paid, got) = (&payer[&reference], payee.get(&reference));
        match number % 3 {
            2 => assert_eq!((paid.as_slice(), got), ([-10, 10].as_slice(), None), "{reference} was given back"),
            _ => assert_eq!((paid.as_slice(), got), ([-10].as_slice(), Some(&vec![10])), "{reference} was settled"),
        }
    }
    assert_eq!(test.schedules().await, [""; 0], "no time limit is left");
    let asked = asked.lock().unwrap().clone();
    for number in 0..TRANSFERS {
        assert!(asked[&("clear".to_owned(), number.to_string())] >= 1);
    }
    host.reactors.stop().await;
}
