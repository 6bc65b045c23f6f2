//! Random appends on random conditions, by many clients, while hosts are killed and sessions end. Afterwards the log says of each answer
//! whether it was right.

mod alphabet;
mod client;
mod fault;
mod replay;
mod request;

use std::{
    env,
    sync::{Arc, atomic::Ordering},
};

use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    client::{RandomClient, Record, Shared},
    fault::{FAULTS, Injector},
};
use crate::support::{Host, Launch, Postgres, Proxy, client};

const HOSTS: usize = 2;
const CLIENTS: u64 = 24;

/// The number of faults, as for the test of faults.
fn faults() -> usize {
    number("GNOMON_TEST_FAULTS").map_or(FAULTS, |faults| usize::try_from(faults).unwrap())
}

/// The seed of all random choices. The same seed repeats what clients send, and not what the hosts make of it.
fn seed() -> u64 {
    number("GNOMON_TEST_SEED").unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_is_decided_as_the_log_says() {
    let seed = seed();
    println!("GNOMON_TEST_SEED={seed}");
    let random = |part: u64| StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(part));
    let mut injector = set_up(random(0)).await;
    let shared = Arc::clone(&injector.shared);
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|number| RandomClient { shared: Arc::clone(&shared), random: random(number), client: client() })
        .map(|client| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let record = client.run().await;
                // What one of them must not be answered ends the run.
                shared.stop.fetch_or(record.is_err(), Ordering::SeqCst);
                record
            })
        })
        .collect();
    injector.run(faults()).await;
    shared.stop.store(true, Ordering::SeqCst);
    let mut records: Vec<Record> = Vec::new();
    for client in clients {
        records.push(client.await.unwrap().unwrap_or_else(|problem| panic!("{problem}")));
    }

    let log = read(&injector.hosts[0]).await;
    let counts = replay::check(&log, &records).unwrap_or_else(|problems| panic!("{problems}"));
    println!("{} events; {counts:#?}", log.len());
    // The choices are such that all of this occurs, and neither seldom.
    let appends: usize = records.iter().map(|record| record.appends.len()).sum();
    assert!(counts.held > appends / 10 && counts.failed > appends / 10, "{counts:?}");
    assert!(counts.wrong_version > 0 && counts.repeated > 0 && counts.reads > 0, "{counts:?}");
}

/// Starts a Postgres and hosts, each with a way to it.
async fn set_up(random: StdRng) -> Injector {
    let postgres = Postgres::start().await;
    let shared = Arc::new(Shared::default());
    let (mut hosts, mut proxies) = (Vec::new(), Vec::new());
    for _ in 0..HOSTS {
        let proxy = Proxy::start(postgres.url()).await;
        let host = Launch::new(&proxy.through(postgres.url()), &[]).start().await;
        shared.urls.lock().unwrap().push(host.url().to_owned());
        hosts.push(host);
        proxies.push(proxy);
    }
    Injector { shared, random, postgres, proxies, hosts }
}

/// The whole log.
async fn read(host: &Host) -> Vec<Value> {
    let (mut log, mut after) = (Vec::new(), json!(0));
    loop {
        let page = host.json(&format!("/v1/events?after={after}&limit=1000")).await;
        log.extend_from_slice(page["events"].as_array().unwrap());
        if page["next"] == page["head"] {
            return log;
        }
        after = page["next"].clone();
    }
}
