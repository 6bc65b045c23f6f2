//! Decisions on rows of a read model: the position that comes with the rows is the one of the condition.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::decide::{Hosts, is};

/// Pays out an amount if the account has it; returns whether it did.
async fn pay_out(hosts: &Hosts, account: &str, amount: i64, tries: &AtomicU64) -> bool {
    let event = json!({"type": "MoneyWithdrawn", "tags": [format!("account:{account}")],
                       "data": {"amount": amount, "currency": "EUR"}});
    let query = json!({"items": [{"tags": [format!("account:{account}")]}]});
    loop {
        tries.fetch_add(1, Ordering::Relaxed);
        let host = hosts.next();
        // The read model may be behind: then the append is refused.
        let path = format!("/v1/read-models/bank/accounts?account=eq.{account}&select=balance");
        let answer = host.send(host.request(Method::GET, &path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        if answer.body[0]["balance"].as_i64().unwrap() < amount {
            return false;
        }
        if hosts.append(std::slice::from_ref(&event), &query, answer.position.unwrap()).await {
            return true;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clerks_who_decide_by_a_read_model_overdraw_no_account() {
    const CLERKS: usize = 16;
    let hosts = Hosts::start().await;
    let host = hosts.next();
    let build = host.deploy("bank", test_support::component("bank"), "").await;
    host.until_state("bank", build, "active").await;
    let event = |event_type: &str, data: Value| json!({"type": event_type, "tags": ["account:1"], "data": data});
    let opened = event("AccountOpened", json!({"owner": "Ada", "currency": "EUR"}));
    let deposited = event("MoneyDeposited", json!({"amount": 50, "currency": "EUR"}));
    let position = host.append_events("account-1", &json!([opened, deposited])).await;
    host.rows_at("bank/accounts", position).await;

    let tries = AtomicU64::new(0);
    let paid = join_all((0..CLERKS).map(|_| pay_out(&hosts, "1", 10, &tries))).await;
    assert_eq!(paid.iter().filter(|paid| **paid).count(), 5);
    assert!(tries.into_inner() > CLERKS as u64, "clerks were in each other's way");
    let withdrawn = hosts.log().await.iter().filter(|event| is(event, "MoneyWithdrawn")).count();
    assert_eq!(withdrawn, 5);
    let rows = hosts.next().rows_at("bank/accounts?select=balance", position + 5).await;
    assert_eq!(rows, [json!({"balance": 0})]);
}
