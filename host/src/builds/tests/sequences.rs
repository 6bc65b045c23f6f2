//! Random operations, and hosts that die in the middle of them: the builds in Postgres are in the states of the state machine, and
//! the invariants over all builds of a projection hold.
//!
//! `GNOMON_TEST_STEPS=100000` makes the run long.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;

/// Steps with one database.
const STEPS_OF_A_DATABASE: usize = 200;
/// The largest number of builds that are not retired.
const BUILDS: usize = 6;

/// The builds of a projection in Postgres, and the states that the state machine gives.
struct BuildsAndModel {
    test: TestBuilds,
    tables: BTreeMap<BuildId, TableSet>,
    states: BTreeMap<BuildId, State>,
    trace: Vec<String>,
}

impl BuildsAndModel {
    fn any(&self, random: &mut StdRng) -> Option<BuildId> {
        let builds: Vec<BuildId> = self.states.keys().copied().collect();
        (!builds.is_empty()).then(|| builds[random.random_range(0..builds.len())])
    }

    async fn begin(&mut self, random: &mut StdRng) {
        let kept = self.states.values().filter(|state| **state != State::Retired).count();
        if kept >= BUILDS {
            return;
        }
        let (build, tables) = self.test.build(random.random_range(1..4), &["n"]).await;
        let mut state = State::begun(Activation::Auto);
        if random.random_bool(0.5) {
            self.test.set(build, |kept| kept.activation = Activation::Manual).await;
            state = State::begun(Activation::Manual);
        }
        self.tables.insert(build, tables);
        self.states.insert(build, state);
        self.trace.push(format!("begin {}", build.0));
    }

    /// An operator changes a build.
    async fn operate(&mut self, random: &mut StdRng) {
        const EVENTS: [Event; 5] =
            [Event::Paused, Event::Resumed, Event::Retried, Event::ActivateWhenLive, Event::Retired];
        let Some(build) = self.any(random) else { return };
        let event = EVENTS[random.random_range(0..EVENTS.len())];
        self.trace.push(format!("{event:?} {}", build.0));
        let mut changes = Changes::begin(&self.test.pool, &self.test.name).await.unwrap();
        let applied = changes.apply(build, event, "the test wants it").await;
        if random.random_bool(0.1) {
            // The host dies before it commits.
            self.trace.push("and dies".to_owned());
            return;
        }
        changes.commit().await.unwrap();
        self.expect(build, event, applied.map_err(|error| format!("{error:?}")));
    }

    /// A newer build is to become active instead of others.
    async fn supersede(&mut self, random: &mut StdRng) {
        let Some(build) = self.any(random) else { return };
        self.trace.push(format!("supersede for {}", build.0));
        let mut changes = Changes::begin(&self.test.pool, &self.test.name).await.unwrap();
        let found = get(&self.test.pool, &[build]).await.unwrap().pop().unwrap();
        changes.supersede_others(&found).await.unwrap();
        changes.commit().await.unwrap();
        for (other, state) in &mut self.states {
            if *other != build && state.activates_when_live() {
                *state = transition(*state, Event::Superseded).unwrap().0;
            }
        }
    }

    /// A worker reports on its build; it may have lost the lease.
    async fn work(&mut self, random: &mut StdRng) {
        let Some(build) = self.any(random) else { return };
        let error = BuildError::Host { message: "it cannot go on".to_owned() };
        let (worker_report, event) = match random.random_range(0..20) {
            0..10 => (WorkerReport::CaughtUp(Position(0)), Event::CaughtUp),
            10..14 => (WorkerReport::Halted(error), Event::Halted),
            14..18 => (WorkerReport::Failed(error), Event::Failed),
            _ => (WorkerReport::ActivationFailed(error), Event::ActivationFailed),
        };
        let lease = self.test.lease(build).await;
        let is_lost = random.random_bool(0.2);
        if is_lost {
            // The holder has no session that shows it alive, so another host takes the lease.
            self.test.lease(build).await;
        }
        self.trace.push(format!("{event:?} {}, lease lost: {is_lost}", build.0));
        let mut transaction = crate::postgres::begin(&self.test.pool).await.unwrap();
        match report(&mut transaction, lease, &worker_report).await {
            Ok(state) => {
                assert!(!is_lost, "{:#?}", self.trace);
                transaction.commit().await.unwrap();
                self.expect(build, event, Ok(state));
            }
            Err(ReportError::LeaseLost(_)) => assert!(is_lost, "{:#?}", self.trace),
            Err(ReportError::Change(error)) => self.expect(build, event, Err(format!("{error:?}"))),
        }
    }

    async fn swap(&mut self, random: &mut StdRng) {
        let Some(build) = self.any(random) else { return };
        self.trace.push(format!("swap to {}", build.0));
        let (pool, name, tables) = (&self.test.pool, &self.test.name, &self.tables[&build]);
        let swapped =
            swap(pool, name, build, tables, (WantedBy::Operator, "the test wants it"), Duration::ZERO).await.unwrap();
        let state = self.states[&build];
        assert_eq!(swapped == Swapped::Done, state.is_readable(), "{swapped:?} {:#?}", self.trace);
        if swapped != Swapped::Done || state.is_active() {
            return;
        }
        for (other, state) in &mut self.states {
            if *other == build {
                *state = transition(*state, Event::Activated).unwrap().0;
            } else if state.is_active() {
                *state = transition(*state, Event::Replaced).unwrap().0;
            }
        }
    }

    fn expect(&mut self, build: BuildId, event: Event, found: Result<State, String>) {
        let state = self.states.get_mut(&build).unwrap();
        match (transition(*state, event), found) {
            (Ok((next, _)), Ok(found)) => {
                assert_eq!(found, next, "{:#?}", self.trace);
                *state = next;
            }
            (Err(_), Err(_)) => {}
            (expected, found) => panic!("{found:?}, not {expected:?}: {:#?}", self.trace),
        }
    }

    /// Checks that Postgres has the states of the state machine, and no schema of a retired build.
    async fn check(&self) {
        let found = of_projection(&self.test.pool, &self.test.name).await.unwrap().unwrap_or_default();
        let found: BTreeMap<BuildId, State> = found.into_iter().map(|build| (build.id, build.state)).collect();
        assert_eq!(found, self.states, "{:#?}", self.trace);
        let actives: Vec<BuildId> =
            self.states.iter().filter(|(_, state)| state.is_active()).map(|(build, _)| *build).collect();
        assert!(actives.len() < 2, "{:#?}", self.trace);

        let schemas: Vec<String> = sqlx::query_scalar(
            "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'build\\_%' ORDER BY nspname",
        )
        .fetch_all(&self.test.pool)
        .await
        .unwrap();
        let kept = self.states.iter().filter(|(_, state)| **state != State::Retired);
        let mut expected: Vec<String> = kept.map(|(build, _)| build.schema().to_string()).collect();
        expected.sort();
        assert_eq!(schemas, expected, "{:#?}", self.trace);

        let viewed: Option<String> = sqlx::query_scalar(
            "SELECT table_schema::text FROM information_schema.view_table_usage
             WHERE view_schema = 'read_models' AND view_name = 'totals_sums'",
        )
        .fetch_optional(&self.test.pool)
        .await
        .unwrap();
        assert_eq!(viewed, actives.first().map(|build| build.schema().to_string()), "{:#?}", self.trace);

        let errors: Vec<i64> =
            sqlx::query_scalar("SELECT build FROM gnomon.builds WHERE error IS NULL AND work IN ('halted', 'failed')")
                .fetch_all(&self.test.pool)
                .await
                .unwrap();
        assert!(errors.is_empty(), "{errors:?} stopped without a reason: {:#?}", self.trace);
    }
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the seed is printed with the output of a test that fails")]
async fn builds_follow_the_state_machine_under_random_operations() {
    let steps: usize = std::env::var("GNOMON_TEST_STEPS").map_or(600, |steps| steps.parse().unwrap());
    let seed: u64 = std::env::var("GNOMON_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    println!("GNOMON_TEST_SEED={seed}");
    for database in 0..steps.div_ceil(STEPS_OF_A_DATABASE) as u64 {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(database));
        let test = TestBuilds::create().await;
        let mut both = BuildsAndModel { test, tables: BTreeMap::new(), states: BTreeMap::new(), trace: Vec::new() };
        for _ in 0..STEPS_OF_A_DATABASE {
            match random.random_range(0..20) {
                0..3 => both.begin(&mut random).await,
                3..9 => both.operate(&mut random).await,
                9..14 => both.work(&mut random).await,
                14..19 => both.swap(&mut random).await,
                _ => both.supersede(&mut random).await,
            }
            both.check().await;
        }
    }
}
