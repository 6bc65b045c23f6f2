//! Several hosts share the builds, and work on those of a host that dies or hangs.

use gnomon::postgres::test_database::TestDatabase;
use nix::sys::signal::Signal;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Host, until};

const NAMES: [&str; 4] = ["one", "two", "three", "four"];

/// How many builds each host works on, fewest first.
async fn shares(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM gnomon.subscriptions WHERE lease_holder IS NOT NULL GROUP BY lease_holder ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn deploy_four(host: &Host) {
    for name in NAMES {
        let build = host.deploy(name, test_support::guest("tally"), "").await;
        host.until_state(name, build, "active").await;
    }
}

/// Every projection holds the effect of one more event.
async fn all_follow(host: &Host) {
    let position = host.append_one("count-1", "Counted", json!({"n": 1})).await;
    for name in NAMES {
        let rows = host.rows_at(&format!("{name}/tallies"), position).await;
        assert_eq!(rows[0]["events"], json!(position), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_the_builds_also_of_a_host_that_dies() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let first = Host::start(&database).await;
    deploy_four(&first).await;
    let mut second = first.beside().await;
    until("two hosts have two builds each", async || shares(&pool).await == [2, 2]).await;
    all_follow(&second).await;
    second.kill();
    all_follow(&first).await;
    until("the remaining host has all builds", async || shares(&pool).await == [4]).await;

    // A host that stops gives its builds back.
    let third = first.beside().await;
    until("two hosts have two builds each again", async || shares(&pool).await == [2, 2]).await;
    assert!(third.stop().await);
    all_follow(&first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_frozen_past_its_lease_writes_nothing_when_it_wakes() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let frozen = Host::start_with(&database, &["--lease", "1"]).await;
    deploy_four(&frozen).await;
    let other = frozen.beside().await;
    until("two hosts have two builds each", async || shares(&pool).await == [2, 2]).await;

    frozen.signal(Signal::SIGSTOP);
    all_follow(&other).await;
    until("the other host has all builds", async || shares(&pool).await == [4]).await;
    frozen.signal(Signal::SIGCONT);
    for _ in 0..20 {
        all_follow(&other).await;
    }
    until("both hosts share the builds again", async || shares(&pool).await == [2, 2]).await;
    all_follow(&frozen).await;
}
