//! Two hosts answer from what they keep while rows change, builds are swapped, connections break and readers leave: no answer is older than what
//! was known when its request began, and each is what the rows were at its position.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use test_support::until;

use super::*;
use crate::{
    builds::{
        BuildId,
        tests::{rows, step},
    },
    postgres::{begin, test_proxy::SlowProxy},
    read_model::{TableSet, Value, WriteSet},
    subscriptions::{Handled, Lease, Rows, advance},
};

const CHANGES: usize = 150;
const READERS: u64 = 12;
const IDS: i64 = 4;

/// What the read model is between two commits. No two have the same build, position and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    build: BuildNumber,
    position: u64,
    /// In each row the same.
    number: i64,
    rows: i64,
}

/// What is known to all.
#[derive(Default)]
struct Known {
    /// All states, in their order; each is here before it can be seen.
    states: Mutex<Vec<State>>,
    /// The newest that somebody knows: its commit has returned, or a reader has seen it.
    newest: AtomicUsize,
    answers: AtomicUsize,
    done: AtomicBool,
}

impl Known {
    fn plan(&self, state: State) -> usize {
        let mut states = self.states.lock().unwrap();
        states.push(state);
        states.len() - 1
    }

    /// Checks an answer whose request began when `before` was known.
    fn check(&self, before: usize, read: &Read, whole: bool) {
        let numbers = read.numbers();
        let number = *numbers.first().unwrap();
        assert!(numbers.iter().all(|other| *other == number), "rows of two states: {read:?}");
        let states = self.states.lock().unwrap();
        let is_it = |state: &State| {
            (state.build, Position(state.position), state.number) == (read.build, read.position, number)
        };
        let Some(at) = states.iter().position(is_it) else { panic!("it was never so: {read:?}, {states:?}") };
        assert!(at >= before, "state {at} was read, and {before} known before: {read:?}, {:?}", states[before]);
        if whole {
            assert_eq!(numbers.len(), usize::try_from(states[at].rows).unwrap(), "{read:?}");
        }
        self.newest.fetch_max(at, Ordering::SeqCst);
        self.answers.fetch_add(1, Ordering::SeqCst);
    }
}

struct Writer {
    builds: Arc<TestBuilds>,
    known: Arc<Known>,
    random: StdRng,
    active: (BuildId, TableSet, Lease),
    state: State,
}

/// All rows, with one number.
fn all(tables: &TableSet, number: i64, count: i64) -> WriteSet {
    rows(tables, (0..count).map(|id| vec![Value::I64(id), Value::I64(number)]))
}

impl Writer {
    async fn start(builds: Arc<TestBuilds>, known: Arc<Known>, random: StdRng) -> Self {
        let state = State { build: BuildNumber(1), position: 1, number: 1, rows: IDS };
        let (build, tables) = builds.build(1, &["n"]).await;
        builds.live(build).await;
        let lease = builds.lease(build).await;
        builds.commit(lease, &tables, step(0, 1), all(&tables, 1, IDS)).await.unwrap();
        builds.activate(build, &tables).await;
        known.plan(state);
        Self { builds, known, random, active: (build, tables, lease), state }
    }

    async fn run(mut self) {
        for _ in 0..CHANGES {
            if self.known.done.load(Ordering::SeqCst) {
                // A reader has failed.
                return;
            }
            let (before, mut next) = (self.state, self.state);
            let kind = self.random.random_range(0..10);
            match kind {
                // A batch.
                0..=3 => (next.position, next.number, next.rows) = (before.position + 1, before.number + 1, IDS),
                // Events that change no row.
                4 => next.position += 1,
                // Dead letters that are tried again.
                5 | 6 => (next.number, next.rows) = (before.number + 1, IDS),
                // A row that is deleted.
                7 if before.rows > 1 => (next.position, next.rows) = (before.position + 1, before.rows - 1),
                8 => {
                    self.abandon().await;
                    continue;
                }
                9 => {
                    self.swap().await;
                    continue;
                }
                _ => continue,
            }
            let (_, tables, lease) = &self.active;
            let mut changes = rows(tables, []);
            if next.number != before.number {
                changes = all(tables, next.number, next.rows);
            } else if next.rows != before.rows {
                changes.delete(0, vec![Value::I64(next.rows)]);
            }
            let at = self.known.plan(next);
            self.builds.commit(*lease, tables, step(before.position, next.position), changes).await.unwrap();
            self.known.newest.fetch_max(at, Ordering::SeqCst);
            self.state = next;
            // Readers ask again for what is kept.
            let enough = self.known.answers.load(Ordering::SeqCst) + self.random.random_range(0..30);
            until("readers are answered", async || {
                self.known.answers.load(Ordering::SeqCst) >= enough || self.known.done.load(Ordering::SeqCst)
            })
            .await;
        }
        self.known.done.store(true, Ordering::SeqCst);
    }

    /// A commit that does not come to its end.
    async fn abandon(&mut self) {
        let (_, tables, lease) = &self.active;
        let mut transaction = begin(&self.builds.pool).await.unwrap();
        let to = step(self.state.position, self.state.position + 1);
        advance(&mut transaction, *lease, &to, &Handled::default(), Rows::Changed).await.unwrap();
        tables.apply(&mut transaction, &all(tables, -1, IDS)).await.unwrap();
        tokio::task::yield_now().await;
        transaction.rollback().await.unwrap();
    }

    async fn swap(&mut self) {
        let State { build, position, number, .. } = self.state;
        let state = State { build: BuildNumber(build.0 + 1), position, number: number + 1, rows: IDS };
        let version = u32::try_from(state.build.0).unwrap();
        let (build, tables) = self.builds.build(version, &["n"]).await;
        self.builds.live(build).await;
        let lease = self.builds.lease(build).await;
        self.builds.commit(lease, &tables, step(0, position), all(&tables, state.number, IDS)).await.unwrap();
        let at = self.known.plan(state);
        self.builds.activate(build, &tables).await;
        self.known.newest.fetch_max(at, Ordering::SeqCst);
        (self.active, self.state) = ((build, tables, lease), state);
    }
}

async fn read_until_done(
    builds: Arc<TestBuilds>,
    known: Arc<Known>,
    hosts: Arc<[Reader; 2]>,
    mut random: StdRng,
) -> (usize, usize) {
    let (mut answers, mut failures) = (0, 0);
    // Also if a check fails.
    let _ends = scopeguard::guard(Arc::clone(&known), |known| known.done.store(true, Ordering::SeqCst));
    while !known.done.load(Ordering::SeqCst) {
        let host = hosts.choose(&mut random).unwrap();
        let (query, whole) = *[("", true), ("order=n", true), ("select=n&id=eq.0", false), ("limit=1", false)]
            .choose(&mut random)
            .unwrap();
        let leaves_after = Duration::from_micros(random.random_range(0..20_000));
        let leaves = random.random_bool(0.2);
        let before = known.newest.load(Ordering::SeqCst);
        let reading = host.try_read(host.request(&builds, query));
        let read = if leaves {
            tokio::select! {
                read = reading => read,
                () = tokio::time::sleep(leaves_after) => continue,
            }
        } else {
            reading.await
        };
        match read {
            Ok(read) => {
                known.check(before, &read, whole);
                answers += 1;
            }
            // The host is cut off from Postgres.
            Err(ReadError::Postgres(_) | ReadError::TimedOut(_)) => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (answers, failures)
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn no_answer_is_older_than_what_was_known_when_its_request_began() {
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    let random = |part: u64| StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(part));
    let builds = Arc::new(TestBuilds::create().await);
    let known = Arc::new(Known::default());
    let writer = Writer::start(Arc::clone(&builds), Arc::clone(&known), random(0)).await;
    let direct = builds.database.connect_options();
    let proxy = SlowProxy::start(direct.clone(), Duration::ZERO).await;
    let mut through = Reader::start(proxy.through(&direct), 1 << 20).await;
    through.limits.timeout = Duration::from_secs(5);
    let hosts = Arc::new([Reader::on(&builds).await, through]);

    let readers: Vec<_> = (1..=READERS)
        .map(|number| {
            let (builds, known, hosts) = (Arc::clone(&builds), Arc::clone(&known), Arc::clone(&hosts));
            tokio::spawn(read_until_done(builds, known, hosts, random(number)))
        })
        .collect();
    let faults = async {
        let mut random = random(READERS + 1);
        while !known.done.load(Ordering::SeqCst) {
            let next = known.newest.load(Ordering::SeqCst) + random.random_range(5..20);
            until("some changes are made", async || {
                known.newest.load(Ordering::SeqCst) >= next || known.done.load(Ordering::SeqCst)
            })
            .await;
            // A connection that falls silent is given up after a time; here it is cut before.
            if random.random_bool(0.5) {
                proxy.silence();
                tokio::task::yield_now().await;
            }
            proxy.cut();
        }
    };
    tokio::join!(writer.run(), faults);
    let counts: Vec<_> = join_all(readers).await.into_iter().map(Result::unwrap).collect();
    assert!(counts.iter().all(|(answers, _)| *answers > 0), "{counts:?}");
    println!("answers and failures: {counts:?}");
}
