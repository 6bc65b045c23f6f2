//! Ten times more than a host can take: it refuses what is too much, stays within its memory, says how it is, and is as before
//! when the load ends.

mod clients;
mod limits;
mod memory;
mod outcomes;
mod sockets;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gnomon::postgres::test_database::TestDatabase;
use serde_json::json;

use self::{
    clients::{Clients, Load},
    limits::{LIMITS, limits},
    memory::{MIB, Memory},
    outcomes::Outcomes,
    sockets::{SlowClient, open},
};
use crate::support::{Host, until};

/// For how long the load lasts.
const LASTS: Duration = Duration::from_secs(6);
/// Within this time after the load, an append and its row are answered as before.
const RECOVERY: Duration = Duration::from_secs(15);
/// What the host may have in memory at any time, with the limits of [`LIMITS`], beside what it has when nothing happens. The half of it
/// are bodies, followers and answers, each bounded; the rest are compiled modules, requests under way, and what the allocator keeps.
const BOUND: u64 = 256 * MIB;

/// Rows of the read model that is queried.
const STREAMS: usize = 1_000;

async fn host_with_rows(database: &TestDatabase, arguments: &[&str]) -> Host {
    let host = Host::start_with(database, arguments).await;
    let build = host.deploy("tally", test_support::guest("tally"), "").await;
    host.until_state("tally", build, "active").await;
    let pad = "x".repeat(2_000);
    let line = |stream| json!({"stream": format!("count-{stream}"), "type": "Counted", "data": {"n": 1, "pad": pad}});
    let lines: String = (0..4 * STREAMS).map(|number| format!("{}\n", line(number % STREAMS))).collect();
    let imported = host.import(lines).await;
    assert!(imported.status.is_success(), "{imported:?}");
    append_and_read(&host).await;
    host
}

/// How long an append and its row take.
async fn append_and_read(host: &Host) -> Duration {
    let began = Instant::now();
    let position = host.append_one("count-0", "Counted", json!({"n": 1})).await;
    let rows = host.rows_at("tally/tallies?stream=eq.0&select=stream", position).await;
    assert_eq!(rows, [json!({"stream": "0"})]);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_ten_times_its_load_a_host_refuses_stays_within_its_memory_and_is_as_before_after_it() {
    let database = TestDatabase::create().await;
    let arguments = limits();
    let host = host_with_rows(&database, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let memory = Memory::of(&host);
    let (before, usual) = (memory.now(), append_and_read(&host).await);

    let outcomes = Arc::new(Outcomes::default());
    let stop = Arc::new(AtomicBool::new(false));
    let load = Load {
        url: host.url().to_owned(),
        stop: Arc::clone(&stop),
        outcomes: Arc::clone(&outcomes),
        newest: Arc::new(AtomicU64::new(1)),
        component: test_support::guest("tally"),
    };
    let clients = Clients::start(&load);
    // The host is loaded when it has refused something of each kind that has a limit.
    let loaded =
        until("each kind of request is refused", async || LIMITS.iter().all(|limit| outcomes.refused(limit.of)));
    let watched = async {
        loaded.await;
        tokio::time::sleep(LASTS).await;
    };
    let most = memory.most_while(watched).await;
    stop.store(true, Ordering::SeqCst);
    clients.end().await;
    println!("{before} bytes before, {most} at most; {outcomes}");
    outcomes.check();

    let began = Instant::now();
    let position = loop {
        let body = json!({"events": [{"type": "Counted", "data": {"n": 1}}]});
        let answer = host.append("count-0", &body).await;
        if answer.status.is_success() {
            break answer.body["last_position"].as_u64().unwrap();
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(began.elapsed() < RECOVERY, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    // The read model has everything that was taken in, first.
    let rows = host.rows_at("tally/tallies?stream=eq.0&select=stream", position).await;
    assert_eq!(rows.len(), 1);
    let recovered = began.elapsed();
    let now = append_and_read(&host).await;
    println!("an append and its row: {usual:?} before, {recovered:?} after the load at first, {now:?} then");
    assert!(recovered < RECOVERY, "{recovered:?}");
    assert_eq!(host.get("/health/ready").await.status, 200);
    assert!(most < before + BOUND, "{} MiB before, {} MiB at most", before / MIB, most / MIB);
}

/// What a hundred clients of each kind that do not go on may cost, for one of them.
const COSTS: &[(SlowClient, u64)] = &[
    (SlowClient::SaysNothing, 64 * 1024),
    (SlowClient::HalfHead, 64 * 1024),
    (SlowClient::HalfBody, 512 * 1024),
    (SlowClient::UnreadPage, 2 * MIB),
    (SlowClient::UnreadFollower, 2 * MIB),
];

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_and_half_open_connections_cost_a_bounded_amount_each() {
    const CLIENTS: usize = 100;
    let database = TestDatabase::create().await;
    let host = host_with_rows(&database, &["--idle-timeout=3", "--body-timeout=3", "--write-timeout=3"]).await;
    let memory = Memory::of(&host);
    let mut dear = Vec::new();
    for (kind, bound) in COSTS {
        let (before, sockets) = (memory.settled().await, memory.sockets());
        let opened = open(host.url(), *kind, CLIENTS).await;
        let cost = memory.settled().await.saturating_sub(before) / CLIENTS as u64;
        println!("{kind:?}: {cost} bytes each");
        if cost > *bound {
            dear.push(format!("{kind:?}: {cost} bytes each, not {bound} at most"));
        }
        // Nobody else waits for them.
        append_and_read(&host).await;
        // And the host closes them itself. It has other connections, which come and go.
        let few = sockets + CLIENTS / 2;
        until(&format!("{kind:?} is closed"), async || memory.sockets() < few).await;
        drop(opened);
    }
    assert!(dear.is_empty(), "{dear:?}");
}
