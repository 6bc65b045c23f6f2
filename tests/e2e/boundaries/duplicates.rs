//! Orders that are sent twice: by a token that the form has, one of them is placed. Whoever sends one and the same request again, with the
//! ids of its events, gets its first answer.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::decide::{Decided, Hosts, accepted};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlacedAlready;

async fn place(hosts: &Hosts, order: &str, token: &str) -> Result<Decided, PlacedAlready> {
    let tags = [format!("order:{order}"), format!("order-token:{token}")];
    let placed = json!({"type": "OrderPlaced", "data": {"order": order}, "tags": tags});
    let query = json!({"items": [{"types": ["OrderPlaced"], "tags": [tags[1]]}]});
    let see = |is_placed: &mut bool, _: &Value| *is_placed = true;
    hosts.decide(&query, see, |is_placed| if *is_placed { Err(PlacedAlready) } else { Ok(vec![placed.clone()]) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_orders_with_one_token_one_is_placed() {
    let hosts = Hosts::start().await;
    for token in ["t1", "t2", "t3"] {
        // The host of the application gives each try another number.
        let orders: Vec<String> = (0..16).map(|number| format!("{token}-{number}")).collect();
        let placed = join_all(orders.iter().map(|order| place(&hosts, order, token))).await;
        assert_eq!(accepted(placed, &PlacedAlready), 1);
    }
    assert_eq!(hosts.log().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_is_answered_as_before_although_its_own_event_matches() {
    let hosts = Hosts::start().await;
    let body = |order: &str| {
        let placed =
            json!({"id": Uuid::new_v4(), "type": "OrderPlaced", "data": {"order": order}, "tags": ["order-token:t"]});
        // No event may match, wherever it stands.
        let condition = json!({"fail_if_events_match": {"items": [{"tags": ["order-token:t"]}]}});
        json!({"appends": [{"events": [placed]}], "condition": condition})
    };
    let send = async |body: &Value| {
        let host = hosts.next();
        host.send(host.request(Method::POST, "/v1/events").json(body)).await
    };
    let first = body("first");
    // The client sends it many times at once: it does not know whether it has arrived.
    let answers = join_all((0..16).map(|_| send(&first))).await;
    let created = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(created, 1, "{answers:?}");
    for answer in &answers {
        assert!(answer.status.is_success(), "{answer:?}");
        assert_eq!(answer.body, answers[0].body);
    }
    // Another one is refused, however often it is sent.
    let second = body("second");
    for _ in 0..2 {
        let answer = send(&second).await;
        assert_eq!((answer.status, &answer.body["position"]), (StatusCode::CONFLICT, &json!(1)), "{answer:?}");
    }
    assert_eq!(send(&first).await.status, StatusCode::OK);
    assert_eq!(hosts.log().await.len(), 1);
}
