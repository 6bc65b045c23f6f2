//! Hosts that share a real Redis, which is cut off, stands still and lies.
//!
//! `cargo test --workspace` leaves this target out, since Redis is not in the repository; `.ci/redis` installs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that finds what it did not expect fails"
)]

#[path = "../program/mod.rs"]
mod program;
mod proxy;
mod server;
mod stale;

use std::sync::Arc;

use gnomon::postgres::test_database::TestDatabase;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use test_support::{component, until};

use crate::{program::HostProcess, server::Redis};

/// The table, as the test client names it.
const TABLE: &str = "bank/accounts";
const ACCOUNTS: &str = "/v1/read-models/bank/accounts";

/// A host that shares a Redis, and may keep so many bytes itself.
async fn host(database: &TestDatabase, redis: &str, cache_bytes: usize) -> HostProcess {
    let options = [format!("--cache-url={redis}"), format!("--cache-bytes={cache_bytes}")];
    HostProcess::start(&database.url(), Arc::new(tempfile::tempdir().unwrap()), &options).await
}

/// Opens an account, at the first position of the log, and deploys the projection.
async fn open_account(host: &HostProcess, owner: &str) {
    let data = json!({"owner": owner, "currency": "EUR"});
    assert_eq!(host.append_one("account-1", "AccountOpened", data).await, 1);
    let build = host.deploy("bank", component("bank"), "").await;
    host.until_state("bank", build, "active").await;
    host.rows_at(TABLE, 1).await;
}

async fn deposit(host: &HostProcess) -> u64 {
    let data = json!({"amount": 1, "currency": "EUR", "reference": "r", "channel": "c"});
    host.append_one("account-1", "MoneyDeposited", data).await
}

/// The value of a measure, by its line up to the value.
async fn measure(host: &HostProcess, name: &str) -> u64 {
    let text = host.get("/metrics").await.body;
    let mut lines = text.as_str().unwrap().lines();
    let value =
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_else(|| panic!("no {name}"));
    value.parse::<f64>().unwrap() as u64
}

const REDIS_HITS: &str = "gnomon_query_cache_hits_total{level=\"redis\"}";
const REDIS_FAILURES: &str = "gnomon_query_cache_redis_failures_total";

/// An answer without what differs from one request to the next.
async fn whole(host: &HostProcess, path: &str) -> (HeaderMap, String) {
    let answer = host.request(Method::GET, path).header("prefer", "count=exact").send().await.unwrap();
    let mut headers = answer.headers().clone();
    for name in ["date", "x-request-id"] {
        headers.remove(name);
    }
    (headers, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_host_has_read_another_one_answers() {
    let (database, redis) = (TestDatabase::create().await, Redis::start(Some("correct")).await);
    let (one, other) = (host(&database, &redis.url(), 1 << 20).await, host(&database, &redis.url(), 0).await);
    open_account(&one, "Ada").await;
    // The first request opens the connection.
    until("an answer is stored", async || {
        let position = deposit(&one).await;
        one.rows_at(TABLE, position).await;
        !redis.keys().is_empty()
    })
    .await;
    let path = format!("{ACCOUNTS}?order=account&limit=5");
    let read = whole(&one, &path).await;
    until("the other host finds it", async || {
        let before = measure(&other, REDIS_HITS).await;
        assert_eq!(whole(&other, &path).await, read);
        measure(&other, REDIS_HITS).await > before
    })
    .await;
    for key in redis.keys() {
        assert!(key.starts_with("gnomon:answer:2:"), "{key}");
        assert!((1..=3600).contains(&redis.expiry(&key)), "{key}");
    }
    // What is under the key of another answer is not one to this.
    let other_path = format!("{ACCOUNTS}?order=account&limit=4&select=owner");
    let known = redis.keys();
    whole(&one, &other_path).await;
    until("it is stored", async || redis.keys().len() > known.len()).await;
    let failures = measure(&other, REDIS_FAILURES).await;
    let wrong = redis.get(redis.keys().iter().find(|key| !known.contains(key)).unwrap());
    for key in &known {
        redis.set(key, &wrong);
    }
    assert_eq!(whole(&other, &path).await, read);
    assert!(measure(&other, REDIS_FAILURES).await > failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_logs_share_one_redis() {
    let redis = Redis::start(None).await;
    let databases = [TestDatabase::create().await, TestDatabase::create().await];
    let mut hosts = Vec::new();
    for (database, owner) in databases.iter().zip(["Ada", "Bea"]) {
        let host = host(database, &redis.url(), 0).await;
        open_account(&host, owner).await;
        hosts.push((host, owner));
    }
    let path = format!("{ACCOUNTS}?select=owner");
    for (host, owner) in &hosts {
        until("the answer comes from Redis", async || {
            let before = measure(host, REDIS_HITS).await;
            assert_eq!(host.json(&path).await, json!([{"owner": owner}]));
            measure(host, REDIS_HITS).await > before
        })
        .await;
    }
    assert!(redis.keys().len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_the_password_is_a_miss_and_the_password_is_not_shown() {
    let (database, redis) = (TestDatabase::create().await, Redis::start(Some("correct")).await);
    let url = format!("redis://someone:hunter2@127.0.0.1:{}", redis.port());
    let host = host(&database, &url, 0).await;
    open_account(&host, "Ada").await;
    until("the host has said so", async || {
        assert_eq!(host.json(&format!("{ACCOUNTS}?select=owner")).await, json!([{"owner": "Ada"}]));
        host.has_logged("the Redis of the cache cannot be used")
    })
    .await;
    assert!(!host.has_logged("hunter2"));
    assert_eq!(measure(&host, REDIS_HITS).await, 0);
    let refused = program::gnomon().args(["serve", "--cache-url", "redis://:hunter2@h/x"]).output().unwrap();
    let said = String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap();
    assert!(!refused.status.success() && said.contains("--cache-url") && !said.contains("hunter2"), "{said}");
}

/// The balance of the account, which is one less than the number of its events.
fn balance(rows: &Value) -> u64 {
    let [row] = rows.as_array().unwrap().as_slice() else { panic!("{rows}") };
    row["balance"].as_u64().unwrap()
}
