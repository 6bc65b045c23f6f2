//! A tenant that asks for all that it can get takes nothing from the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Client, Method, StatusCode, header::ACCEPT};
use serde_json::{Value, json};
use test_support::{component, guest, until};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::Tenanted;

/// Requests that the flooding tenant may have under way.
const PLACES: usize = 8;
/// Appends and reads of the other tenant while it floods.
const REQUESTS: usize = 100;

/// A client with a new connection for each request: those that there are must not be taken.
fn new_connections() -> Client {
    Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_floods_starves_no_other_one() {
    let (acme_database, beta_database) = (TestDatabase::create().await, TestDatabase::create().await);
    let limits = json!({"max_requests": PLACES, "max_connections": 6});
    let tenants = json!({
        "acme": {"database": acme_database.url(), "limits": limits},
        "beta": {"database": beta_database.url(), "limits": {"max_connections": 6}},
    });
    let arguments = ["--max-client-connections", "64", "--max-batch-time", "0.3", "--body-timeout", "300"];
    let host = Tenanted::start(&tenants, &arguments).await;
    let (acme, beta) = (host.tenant("acme", ""), host.tenant("beta", ""));

    // Modules that compute for as long as they are let, again and again.
    let mut loops = Vec::new();
    for number in 0..4 {
        let name = format!("endless_{number}");
        loops.push((name.clone(), acme.deploy(&name, guest("endless_handle"), "").await));
        acme.set_on_failure(&name, "skip").await;
    }
    let trigger = json!({"type": "Trigger", "data": "again"});
    acme.append_events("trouble-1", &Value::Array(vec![trigger; 100])).await;
    beta.deploy("bank", component("bank"), "").await;

    // Answers that nobody reads to their end, and bodies that do not come.
    let mut held = Vec::new();
    for _ in 0..PLACES / 2 {
        let request = acme.request(Method::GET, "/v1/events").header(ACCEPT, "text/event-stream");
        held.push(request.send().await.unwrap());
    }
    let address = host.url().strip_prefix("http://").unwrap().to_owned();
    let mut sockets = Vec::new();
    for _ in 0..2 * PLACES {
        let mut socket = TcpStream::connect(&address).await.unwrap();
        let head = "POST /t/acme/v1/streams/a-1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
        socket.write_all(head.as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    // And as many requests as clients can make.
    let stop = Arc::new(AtomicBool::new(false));
    let mut floods = Vec::new();
    for number in 0..PLACES {
        let (stop, url) = (Arc::clone(&stop), acme.url().to_owned());
        floods.push(tokio::spawn(async move {
            let (client, mut refused) = (new_connections(), 0_usize);
            while !stop.load(Ordering::SeqCst) {
                let request = match number % 2 {
                    0 => client.get(format!("{url}/v1/events")),
                    _ => client
                        .post(format!("{url}/v1/streams/a-{number}/events"))
                        .json(&json!({"events": [{"type": "T", "data": 1}]})),
                };
                // Whatever becomes of it: the host owes this tenant nothing.
                if let Ok(answer) = request.timeout(Duration::from_secs(60)).send().await {
                    refused += usize::from(answer.status() == StatusCode::SERVICE_UNAVAILABLE);
                }
            }
            refused
        }));
    }
    let is_full = async || {
        let answer = acme.get("/v1/events?limit=1").await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.body["limit"] == "max_requests"
    };
    until("the tenant has all its requests under way", is_full).await;

    // Each request of the other tenant is answered, and its projection goes on.
    let client = new_connections();
    let mut position = 0;
    for number in 0..REQUESTS {
        let event = match number {
            0 => json!({"type": "AccountOpened", "data": {"owner": "Bob", "currency": "EUR"}}),
            _ => json!({"type": "MoneyDeposited", "data": {"amount": 1, "currency": "EUR"}}),
        };
        let path = format!("{}/v1/streams/account-1/events", beta.url());
        let appended = client.post(&path).json(&json!({"events": [event]})).send().await.unwrap();
        assert_eq!(appended.status(), StatusCode::CREATED, "{number}: {}", appended.text().await.unwrap());
        let appended: Value = serde_json::from_str(&appended.text().await.unwrap()).unwrap();
        position = appended["last_position"].as_u64().unwrap();
        let read = client.get(&path).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK, "{number}");
    }
    let rows = beta.rows_at("bank/accounts?select=balance", position).await;
    assert_eq!(rows, [json!({"balance": REQUESTS - 1})]);
    until("both are ready", async || host.json("/health/ready").await["ready"] == 2).await;

    // It floods still.
    until("the tenant is refused at the end as well", is_full).await;
    let measures = host.get("/metrics").await.body;
    assert!(measures.as_str().unwrap().contains("gnomon_tenant_refused_requests_total{tenant=\"acme\"}"));
    assert!(!measures.as_str().unwrap().contains("gnomon_tenant_refused_requests_total{tenant=\"beta\"}"));
    stop.store(true, Ordering::SeqCst);
    let mut refused = 0;
    for flood in floods {
        refused += flood.await.unwrap();
    }
    assert!(refused > 0);
    drop((held, sockets));
    until("it is served again", async || acme.get("/v1/events?limit=1").await.status == StatusCode::OK).await;
    for (name, build) in loops {
        assert_ne!(acme.build(&name, build).await, Value::Null);
    }
}
