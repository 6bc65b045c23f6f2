//! Faults in any order: the log, the read models and what a reactor does stay correct while hosts, Postgres and the network between them are killed, frozen,
//! cut and worse. docs/RELIABILITY.md has the table of a run.

mod addresses;
mod builds;
mod effects;
mod expected;
mod fault;
mod follower;
mod historian;
mod inject;
mod live;
mod log;
mod operators;
mod readers;
mod receiver;
mod record;
mod writers;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use rand::{SeedableRng, rngs::StdRng};
use reqwest::{Method, StatusCode};
use uuid::Uuid;

use self::{
    addresses::Addresses,
    builds::{check_builds, check_reads},
    effects::{REACTOR, SECRET, check_effects, sinks, until_all_is_done},
    expected::Projection,
    fault::{Deck, Means},
    follower::follow,
    historian::look_back,
    inject::{BATCHES, Injector, LEASE, UPCASTER},
    live::follow_rows,
    log::check_log,
    operators::Operator,
    readers::read,
    receiver::Receiver,
    record::Record,
    writers::{Account, Writer},
};
use crate::support::{Clocks, Host, Launch, Postgres, Proxy};

const HOSTS: usize = 2;
const WRITERS: u64 = 3;
const READERS: usize = 2;
/// Short pauses before messages are sent again.
const RETRY_PAUSES: [&str; 2] = ["--first-retry-pause=0.05", "--longest-retry-pause=0.5"];

/// The number of faults, one after the other; each kind once if it is not given. `GNOMON_TEST_FAULTS=1000` makes a run of hours.
fn steps(kinds: usize) -> usize {
    number("GNOMON_TEST_FAULTS").map_or(kinds, |steps| usize::try_from(steps).unwrap())
}

/// The seed of all random choices. `GNOMON_TEST_FAULTS_SEED`, or `GNOMON_TEST_SEED`, repeats those of an earlier run.
fn seed() -> u64 {
    let given = number("GNOMON_TEST_FAULTS_SEED").or_else(|| number("GNOMON_TEST_SEED"));
    given.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_in_any_order_leave_the_log_the_read_models_and_what_a_reactor_does_correct() {
    let seed = seed();
    println!("GNOMON_TEST_FAULTS_SEED={seed}");
    let random = |part: u64| StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(part));
    let receiver = Receiver::start(random(3000)).await;
    let injector = set_up(seed, &receiver).await;
    let addresses = Arc::clone(&injector.addresses);

    let (stop, end) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(u64::MAX)));
    let writers: Vec<_> = (1..=WRITERS)
        .map(|number| Writer { addresses: addresses.clone(), number, random: random(number), stop: stop.clone() })
        .map(|writer| tokio::spawn(writer.write()))
        .collect();
    let readers: Vec<_> = (0..READERS).map(|_| tokio::spawn(read(addresses.clone(), stop.clone()))).collect();
    let historian = tokio::spawn(look_back(addresses.clone(), random(2000), stop.clone()));
    let live =
        Projection::READ.map(|projection| tokio::spawn(follow_rows(addresses.clone(), projection, stop.clone())));
    let follower = tokio::spawn(follow(addresses.clone(), end.clone()));
    let components = ["tally", "tally_next"].map(test_support::guest);
    let reactors = ["obeys", "obeys_next"].map(test_support::guest);
    let sinks = [1, 2].map(|seconds| sinks(&receiver.url("mail"), &receiver.url("bank"), seconds));
    let operator = Operator {
        addresses: addresses.clone(),
        random: random(1000),
        stop: stop.clone(),
        components,
        reactors,
        sinks,
    };
    let operator = tokio::spawn(operator.operate());

    let steps = steps(injector.deck.kinds());
    let injector = injector.run(steps).await;
    stop.store(true, Ordering::Relaxed);
    let answers = operator.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    let Injector { hosts, account, mut record, postgres: _postgres, proxies: _proxies, .. } = injector;
    let mut written = account.written;
    for writer in writers {
        written.extend(writer.await.unwrap().unwrap_or_else(|error| panic!("{error}")));
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.extend(reader.await.unwrap().unwrap_or_else(|error| panic!("{error}")));
    }
    let past = historian.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    println!("{} looks into the past", past.len());
    assert!(!past.is_empty(), "nobody has seen the past");
    seen.extend(past);
    for follower in live {
        let copied = follower.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
        assert!(!copied.is_empty(), "a live query had nothing");
        seen.extend(copied);
    }
    println!("{} events, {} reads; the operator was answered {answers:?}", written.len(), seen.len());
    record.add_pauses(&written);

    let host = &hosts[0];
    until_all_is_done(host).await;
    let log = check_log(host, &written, &mut record).await.unwrap_or_else(|problems| panic!("{problems}"));
    end.store(log.len() as u64, Ordering::SeqCst);
    let followed = follower.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    assert!(
        followed.iter().zip(&log).all(|(id, event)| event["id"] == **id),
        "a follower saw other events than the log has"
    );
    for projection in Projection::READ {
        check_reads(projection, &seen, &log);
    }
    check_effects(host, &log, &receiver.received()).await;
    check_builds(host, &log).await;
}

/// Starts Postgres and hosts, each with a way to Postgres and a clock of its own, and deploys the modules.
async fn set_up(seed: u64, receiver: &Receiver) -> Injector {
    let mut postgres = Postgres::start().await;
    let clocks = Clocks::make();
    let postgres_clock = clocks.as_ref().map(|clocks| clocks.clock("postgres"));
    if let Some(clock) = &postgres_clock {
        postgres.restart_with_clock(clock).await;
    }
    let mut launch = Launch::new(postgres.url(), &["--lease", LEASE, BATCHES[0], RETRY_PAUSES[0], RETRY_PAUSES[1]]);
    let secret = [(SECRET.0.to_owned(), SECRET.1.to_owned())];
    launch.environment.extend(secret.clone());
    let (mut hosts, mut proxies, mut host_clocks) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..HOSTS {
        let proxy = Proxy::start(postgres.url()).await;
        launch.database = proxy.through(postgres.url());
        if let Some(clocks) = &clocks {
            let clock = clocks.clock(&format!("host-{index}"));
            launch.environment = clock.environment();
            launch.environment.extend(secret.clone());
            host_clocks.push(clock);
        }
        hosts.push(launch.clone().start().await);
        proxies.push(proxy);
    }
    deploy(&hosts[0]).await;
    deploy_reactor(&hosts[0], receiver).await;
    let addresses = Arc::new(Addresses::new(hosts.iter().map(|host| host.url().to_owned())));
    let deck = Deck::new(Means { disk: postgres.has_disk(), clocks: clocks.is_some() });
    Injector {
        account: Account::new(Arc::clone(&addresses)),
        addresses,
        seed,
        random: StdRng::seed_from_u64(seed),
        is_long: steps(deck.kinds()) > deck.kinds(),
        deck,
        hosts,
        proxies,
        host_clocks,
        postgres,
        postgres_clock,
        brief: test_support::guest("tally_next"),
        record: Record::default(),
    }
}

async fn deploy_reactor(host: &Host, receiver: &Receiver) {
    for (sink, settings) in sinks(&receiver.url("mail"), &receiver.url("bank"), 1) {
        let answer = host.send(host.request(Method::PUT, &format!("/v1/sinks/{sink}")).json(&settings)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    let answer = host.upload(REACTOR, test_support::guest("obeys"), "").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

async fn deploy(host: &Host) {
    for (projection, component, on_failure) in [
        (Projection::Tally, test_support::guest("tally"), "skip"),
        (Projection::Parking, test_support::guest("tally"), "park"),
        (Projection::Bank, test_support::component("bank"), "halt"),
        (Projection::Brief, test_support::guest("tally_next"), "halt"),
    ] {
        let build = host.deploy(projection.name(), component, "").await;
        host.until_state(projection.name(), build, "active").await;
        host.set_on_failure(projection.name(), on_failure).await;
    }
    let upcaster = host.upload(UPCASTER, test_support::upcaster("added"), "?activate=manual").await;
    assert_eq!(upcaster.status, StatusCode::CREATED, "{upcaster:?}");
}
