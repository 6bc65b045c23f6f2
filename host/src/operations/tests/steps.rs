//! Random operations while events are appended, some of which the module cannot handle: each event is folded once, in order, or set
//! aside. Rows, dead letters, checkpoint and state are those of a simulation that takes one event at a time.
//!
//! `GNOMON_TEST_STEPS=100000` makes the run long.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::*;
use crate::{
    builds::{Build, ChangeError, Work},
    subscriptions::{BatchSize, DeadLetterSummary, OnFailure, Redelivery, revoke},
};

/// Steps with one database and one build.
const STEPS_OF_A_BUILD: usize = 50;

/// An event, as it is appended.
#[derive(Clone, Debug)]
struct Entry {
    stream: u8,
    event: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Opened(u8),
    Deposited(u8, i64),
    Poison,
}

impl Entry {
    fn random(random: &mut StdRng) -> Self {
        let account = random.random_range(0..6);
        let event = match random.random_range(0..10) {
            0..3 => Kind::Opened(account),
            3..9 => Kind::Deposited(account, random.random_range(-99..100)),
            _ => Kind::Poison,
        };
        Self { stream: random.random_range(0..5), event }
    }

    fn stream(&self) -> String {
        format!("ledger-{}", self.stream)
    }

    fn to_append(&self) -> (String, &'static str, Value) {
        let (event_type, data) = match self.event {
            Kind::Opened(account) => ("Opened", json!({"account": account.to_string()})),
            Kind::Deposited(account, amount) => {
                ("Deposited", json!({"account": account.to_string(), "amount": amount}))
            }
            Kind::Poison => ("Poison", json!({})),
        };
        (self.stream(), event_type, data)
    }
}

/// A build that takes one event at a time.
#[derive(Debug)]
struct Simulation {
    log: Vec<Entry>,
    policy: OnFailure,
    state: Work,
    checkpoint: usize,
    /// By account: its balance, and the positions of the events that changed it.
    accounts: BTreeMap<String, (i64, Vec<usize>)>,
    /// Dead letters by position: whether the stream waits behind it.
    letters: BTreeMap<usize, bool>,
    out_of_order: u64,
}

impl Simulation {
    fn event(&self, position: usize) -> &Entry {
        &self.log[position - 1]
    }

    /// Folds one event. Returns false if the module cannot handle it.
    fn fold(&mut self, position: usize) -> bool {
        match self.event(position).event {
            Kind::Opened(account) => {
                let free = !self.accounts.contains_key(&account.to_string());
                if free {
                    self.accounts.insert(account.to_string(), (0, vec![position]));
                }
                free
            }
            Kind::Deposited(account, amount) => match self.accounts.get_mut(&account.to_string()) {
                Some((balance, trail)) => {
                    *balance += amount;
                    trail.push(position);
                    true
                }
                None => false,
            },
            Kind::Poison => false,
        }
    }

    fn is_parked(&self, stream: u8) -> bool {
        self.letters.iter().any(|(position, parked)| *parked && self.event(*position).stream == stream)
    }

    /// Goes on until the log ends or the build halts.
    fn go_on(&mut self) {
        while self.state == Work::Running && self.checkpoint < self.log.len() {
            let position = self.checkpoint + 1;
            if self.is_parked(self.event(position).stream) {
                self.letters.insert(position, true);
            } else if !self.fold(position) {
                match self.policy {
                    OnFailure::Halt => {
                        self.state = Work::Halted;
                        return;
                    }
                    OnFailure::Skip => drop(self.letters.insert(position, false)),
                    OnFailure::Park => drop(self.letters.insert(position, true)),
                }
            }
            self.checkpoint = position;
        }
    }

    /// Streams of which an event was folded that comes after a dead letter.
    fn overtaken(&self) -> BTreeSet<u8> {
        let is_overtaken = |letter: &usize| {
            let stream = self.event(*letter).stream;
            (letter + 1..=self.checkpoint)
                .any(|position| self.event(position).stream == stream && !self.letters.contains_key(&position))
        };
        self.letters.keys().filter(|letter| is_overtaken(letter)).map(|letter| self.event(*letter).stream).collect()
    }

    /// Returns how many dead letters are not tried because they are overtaken, or `None` if that is all of them.
    fn retry(&mut self, redelivery: Redelivery) -> Option<u64> {
        let left_alone = match redelivery {
            Redelivery::InOrder => self.overtaken(),
            Redelivery::All => BTreeSet::new(),
        };
        let (alone, tried): (Vec<usize>, Vec<usize>) =
            self.letters.keys().partition(|letter| left_alone.contains(&self.event(**letter).stream));
        if self.state == Work::Running && tried.is_empty() && !alone.is_empty() {
            return None;
        }
        let policy = if self.policy == OnFailure::Halt { OnFailure::Park } else { self.policy };
        let mut parked = BTreeSet::new();
        for letter in tried {
            let stream = self.event(letter).stream;
            if parked.contains(&stream) {
                self.letters.insert(letter, true);
            } else if self.fold(letter) {
                self.letters.remove(&letter);
                self.out_of_order += 1;
            } else {
                self.letters.insert(letter, policy == OnFailure::Park);
                if policy == OnFailure::Park {
                    parked.insert(stream);
                }
            }
        }
        self.state = Work::Running;
        self.go_on();
        Some(alone.len() as u64)
    }
}

/// A real host beside its simulation.
struct HostAndSimulation {
    host: TestHost,
    name: Identifier,
    build: Build,
    simulation: Simulation,
    trace: Vec<String>,
}

impl HostAndSimulation {
    async fn start(database: &TestDatabase, batch_events: usize) -> Self {
        let batch = BatchSize { max_events: batch_events, ..BatchSize::default() };
        let projector = ProjectorSettings { batch, ..ProjectorSettings::default() };
        let host = TestHost::start_with(database, ServerSettings { projector, ..ServerSettings::default() }).await;
        let name = Identifier::new("ledger").unwrap();
        let build = host.deploy(&name, test_support::guest("ledger"), Activation::Auto).await;
        let simulation = Simulation {
            log: Vec::new(),
            policy: OnFailure::Halt,
            state: Work::Running,
            checkpoint: 0,
            accounts: BTreeMap::new(),
            letters: BTreeMap::new(),
            out_of_order: 0,
        };
        Self { host, name, build, simulation, trace: vec![format!("batches of {batch_events}")] }
    }

    /// Makes one step, without waiting for its effect. Appends and lost leases happen while the build is busy. The effect of an
    /// operation depends on the checkpoint, so the build settles before it.
    async fn step(&mut self, random: &mut StdRng) {
        let kind = random.random_range(0..24);
        if (9..18).contains(&kind) {
            self.settle().await;
        }
        let (operations, name, simulation) = (&self.host.operations, &self.name, &mut self.simulation);
        let step = match kind {
            0..9 => {
                let entries: Vec<Entry> = (0..random.random_range(1..12)).map(|_| Entry::random(random)).collect();
                self.host.append(entries.iter().map(Entry::to_append)).await;
                simulation.log.extend(entries.iter().cloned());
                simulation.go_on();
                format!("append {entries:?}")
            }
            9..12 => {
                let policy = [OnFailure::Halt, OnFailure::Skip, OnFailure::Park][random.random_range(0..3)];
                operations.set_on_failure(name, policy).await.unwrap();
                simulation.policy = policy;
                format!("set {policy:?}")
            }
            12..16 => {
                let redelivery = if random.random_bool(0.3) { Redelivery::All } else { Redelivery::InOrder };
                let retried = operations.retry(name, None, redelivery).await;
                if simulation.state == Work::Paused {
                    assert!(
                        matches!(retried, Err(OperateError::Change(ChangeError::Refused { .. }))),
                        "{retried:?} {:#?}",
                        self.trace
                    );
                } else {
                    match (&retried, simulation.retry(redelivery)) {
                        (Err(OperateError::Overtaken { letters, .. }), None) => {
                            assert_eq!(*letters, simulation.letters.len() as u64);
                        }
                        (Ok(Retried { overtaken, .. }), Some(alone)) => assert_eq!(*overtaken, alone),
                        (found, expected) => panic!("{found:?}, not {expected:?}: {:#?}", self.trace),
                    }
                }
                format!("retry {redelivery:?}")
            }
            16..18 => {
                let (pausing, from, to) = match simulation.state {
                    Work::Paused => (operations.resume(name, None).await, Work::Paused, Work::Running),
                    _ => (operations.pause(name, None).await, Work::Running, Work::Paused),
                };
                assert_eq!(pausing.is_ok(), simulation.state == from, "{:#?}", self.trace);
                if simulation.state == from {
                    simulation.state = to;
                    simulation.go_on();
                }
                format!("pause or resume: {to:?}")
            }
            _ => {
                // As if the host had died or lost its lease, at any point of its work.
                let mut connection = self.host.database.lookups.acquire().await.unwrap();
                revoke(&mut connection, &[self.build.id.subscription()]).await.unwrap();
                "revoke the lease".to_owned()
            }
        };
        self.trace.push(step);
    }

    /// Waits until the build has nothing to do, and compares it with the simulation.
    async fn settle(&self) {
        let summary = loop {
            // Read before the summary, so that the summary has the effect of a retry that is done.
            let busy: bool =
                sqlx::query_scalar("SELECT retrying IS NOT NULL FROM gnomon.subscriptions WHERE subscription = $1")
                    .bind(self.build.id.0)
                    .fetch_one(&self.host.database.lookups)
                    .await
                    .unwrap();
            let projection = self.host.operations.projection(&self.name, RetiredBuilds::Hidden).await.unwrap().unwrap();
            let build = projection.builds.into_iter().find(|build| build.build == self.build.number).unwrap();
            let stopped = matches!(build.state, BuildState::Paused | BuildState::Halted | BuildState::Failed);
            if stopped || (!busy && build.state == BuildState::Active && build.lag == Some(0)) {
                break build;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let state = match self.simulation.state {
            Work::Running => BuildState::Active,
            Work::Paused => BuildState::Paused,
            _ => BuildState::Halted,
        };
        let trace = &self.trace;
        assert_eq!(
            (summary.state, summary.error.is_some()),
            (state, state == BuildState::Halted),
            "{summary:#?} {trace:#?}"
        );
        assert_eq!(summary.checkpoint.0, self.simulation.checkpoint as u64, "{trace:#?}");
        assert_eq!(summary.out_of_order, self.simulation.out_of_order, "{trace:#?}");

        let letters = self.host.operations.dead_letters(&self.name, None, Position(0), 10_000).await.unwrap().letters;
        let letters: BTreeMap<usize, bool> =
            letters.iter().map(|letter: &DeadLetterSummary| (letter.position.0 as usize, letter.parked)).collect();
        assert_eq!(letters, self.simulation.letters, "{trace:#?}");

        let rows = format!("SELECT account, balance, trail FROM {}.accounts", self.build.id.schema().quoted());
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as(&rows).fetch_all(&self.host.database.lookups).await.unwrap();
        let rows: BTreeMap<String, (i64, Vec<usize>)> = rows
            .into_iter()
            .map(|(account, balance, trail)| {
                (account, (balance, trail.split(' ').map(|position| position.parse().unwrap()).collect()))
            })
            .collect();
        assert_eq!(rows, self.simulation.accounts, "{trace:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn each_event_is_folded_once_or_set_aside_under_random_operations() {
    let steps: usize = std::env::var("GNOMON_TEST_STEPS").map_or(1000, |steps| steps.parse().unwrap());
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    for build in 0..steps.div_ceil(STEPS_OF_A_BUILD) as u64 {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(build));
        let database = TestDatabase::create().await;
        let mut both = HostAndSimulation::start(&database, random.random_range(1..40)).await;
        both.settle().await;
        for _ in 0..STEPS_OF_A_BUILD {
            both.step(&mut random).await;
        }
        both.settle().await;
        both.host.projector.stop().await;
    }
}
