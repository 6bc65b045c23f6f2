//! Faults in any order: the log and the read models stay correct while hosts and Postgres are killed, frozen and stopped.

mod addresses;
mod expected;
mod injector;
mod operators;
mod readers;
mod writers;

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rand::{SeedableRng, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    addresses::Addresses,
    expected::{Expected, Projection, read_log},
    injector::{Injector, LEASE},
    operators::Operator,
    readers::read,
    writers::Writer,
};
use crate::support::{Host, Postgres, until};

const HOSTS: usize = 2;
const WRITERS: u64 = 3;
const READERS: usize = 2;

/// The number of faults, one after the other. `GNOMON_TEST_FAULTS=200` makes a long run.
fn steps() -> usize {
    env::var("GNOMON_TEST_FAULTS").ok().map_or(12, |text| text.parse().expect("GNOMON_TEST_FAULTS is a number"))
}

/// The seed of all random choices. `GNOMON_TEST_SEED` repeats those of an earlier run.
fn seed() -> u64 {
    let seed = env::var("GNOMON_TEST_SEED").ok().map(|text| text.parse().expect("GNOMON_TEST_SEED is a number"));
    seed.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0)
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_in_any_order_leave_the_log_and_the_read_models_correct() {
    let seed = seed();
    println!("GNOMON_TEST_SEED={seed}");
    let random = |part: u64| StdRng::seed_from_u64(seed.wrapping_add(part));
    let postgres = Postgres::start().await;
    let first = Host::start_on(postgres.url(), &["--lease", LEASE, "--batch-events", "50"]).await;
    deploy(&first).await;
    let mut hosts = vec![first];
    while hosts.len() < HOSTS {
        hosts.push(hosts[0].beside().await);
    }

    let addresses = Arc::new(Addresses::new(hosts.iter().map(|host| host.url().to_owned())));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=WRITERS)
        .map(|number| Writer { addresses: addresses.clone(), number, random: random(number), stop: stop.clone() })
        .map(|writer| tokio::spawn(writer.write()))
        .collect();
    let readers: Vec<_> = (0..READERS).map(|_| tokio::spawn(read(addresses.clone(), stop.clone()))).collect();
    let components = ["tally", "tally_next"].map(test_support::guest);
    let operator = Operator { addresses: addresses.clone(), random: random(1000), stop: stop.clone(), components };
    let operator = tokio::spawn(operator.operate());

    let injector = Injector { addresses, random: random(2000), hosts, postgres };
    let Injector { hosts, postgres: _postgres, .. } = injector.run(steps()).await;
    stop.store(true, Ordering::Relaxed);
    let answers = operator.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap().unwrap_or_else(|error| panic!("{error}")));
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.extend(reader.await.unwrap().unwrap_or_else(|error| panic!("{error}")));
    }
    println!("{} events, {} reads; the operator was answered {answers:?}", written.len(), seen.len());

    let host = &hosts[0];
    let log = read_log(host, &written).await;
    for projection in Projection::ALL {
        // The total is the same in every version.
        let expected = Expected::of(projection, 1, &log);
        for seen in seen.iter().filter(|seen| seen.projection == projection) {
            assert_eq!(seen.total, expected.total_at(seen.position), "{projection:?} at position {}", seen.position);
        }
        check_builds(host, projection, &log).await;
    }
}

async fn deploy(host: &Host) {
    for (name, component, on_failure) in [
        ("tally", test_support::guest("tally"), "skip"),
        ("parking", test_support::guest("tally"), "park"),
        ("bank", test_support::component("bank"), "halt"),
    ] {
        let build = host.deploy(name, component, "").await;
        host.until_state(name, build, "active").await;
        host.set_on_failure(name, on_failure).await;
    }
}

/// Checks that every build that is not retired holds the rows of a fresh replay, and that these are the expected ones.
async fn check_builds(host: &Host, projection: Projection, log: &[Value]) {
    let (name, head) = (projection.name(), u64::try_from(log.len()).unwrap());
    let kept = async || {
        let builds = host.projection(name).await["builds"].as_array().unwrap().clone();
        builds.into_iter().filter(|build| build["state"] != "retired").collect::<Vec<_>>()
    };
    for build in kept().await {
        let ok = ["active", "live", "replaying", "paused"].map(Value::from).contains(&build["state"]);
        assert!(ok, "no build of {name} has a reason to stop: {build}");
        if build["state"] == "paused" {
            let resumed = host.post(&format!("/v1/projections/{name}/resume?build={}", build["build"])).await;
            assert_eq!(resumed.status, StatusCode::OK, "{resumed:?}");
        }
    }
    let caught_up =
        |build: &Value| build["checkpoint"] == json!(head) && (build["state"] == "active" || build["state"] == "live");
    until(&format!("every build of {name} is at {head}"), async || kept().await.iter().all(caught_up)).await;

    let before = kept().await;
    let mut versions: Vec<u64> = before.iter().map(|build| build["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    versions.dedup();
    for version in versions {
        let fresh = host.post(&format!("/v1/projections/{name}/rebuild?version={version}&activate=manual")).await;
        assert_eq!(fresh.status, StatusCode::CREATED, "{fresh:?}");
        let fresh = fresh.body["build"].as_u64().unwrap();
        host.until_state(name, fresh, "live").await;
        for build in before.iter().filter(|build| build["version"] == json!(version)) {
            let answer =
                host.get(&format!("/v1/projections/{name}/compare?left={fresh}&right={}", build["build"])).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let found = (&answer.body["identical"], &answer.body["position"]);
            assert_eq!(found, (&json!(true), &json!(head)), "{name} {build} and a fresh replay: {answer:?}");
        }
        let activated = host.post(&format!("/v1/projections/{name}/activate?build={fresh}")).await;
        assert_eq!(activated.status, StatusCode::OK, "{activated:?}");
        let columns = projection.columns();
        let key = columns.split(',').next().unwrap();
        let rows = host.rows_at(&format!("{}?select={columns}&order={key}", projection.table()), head).await;
        assert_eq!(rows, Expected::of(projection, version, log).rows(projection), "{name}, version {version}");
    }
}
