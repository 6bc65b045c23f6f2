use tokio::sync::watch;

use super::*;
use crate::subscriptions::{has_barrier, lift_barriers};

const TIMEOUT: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Two builds of one version, live, and their leases.
struct Pair {
    test: TestBuilds,
    builds: [BuildId; 2],
    /// As they were when they were begun.
    found: Vec<Build>,
    leases: [Lease; 2],
    tables: [TableSet; 2],
}

impl Pair {
    /// Builds whose checkpoints are at these positions.
    async fn at(positions: [u64; 2]) -> Self {
        let test = TestBuilds::create().await;
        let (one, one_tables) = test.build(1, &["n"]).await;
        let (other, other_tables) = test.build(1, &["n"]).await;
        let leases = [test.lease(one).await, test.lease(other).await];
        let found = get(&test.pool, &[one, other]).await.unwrap();
        let pair = Self { test, builds: [one, other], found, leases, tables: [one_tables, other_tables] };
        for (index, position) in positions.into_iter().enumerate() {
            pair.test.live(pair.builds[index]).await;
            if position > 0 {
                pair.commit(index, 0, position).await.unwrap();
            }
        }
        pair
    }

    async fn commit(&self, index: usize, from: u64, to: u64) -> Result<(), AdvanceError> {
        let rows = writes(&self.tables[index], &[1, i64::try_from(to).unwrap()]);
        self.test.commit(self.leases[index], &self.tables[index], step(from, to), rows).await
    }

    async fn set(&self, index: usize, change: impl FnOnce(&mut Kept)) {
        self.test.set(self.builds[index], change).await;
    }

    async fn align(&self, timeout: Duration) -> Result<(Position, Snapshot), AlignError> {
        // This host commits nothing, so the channel never changes.
        let (_, committed) = watch::channel(CommitsHere::default());
        let mut snapshot = Snapshot::connect(&self.test.pool).await?;
        let both = [&self.found[0], &self.found[1]];
        let position = align(&self.test.pool, &mut snapshot, committed, both, timeout).await?;
        Ok((position, snapshot))
    }

    /// Waits until both have a barrier at a position.
    async fn barrier_at(&self, position: i64) {
        while self.barriers().await != [Some(position); 2] {
            tokio::task::yield_now().await;
        }
    }

    async fn barriers(&self) -> Vec<Option<i64>> {
        let sql = "SELECT CASE WHEN barrier_until > clock_timestamp() THEN barrier_at END FROM gnomon.subscriptions
             ORDER BY subscription";
        sqlx::query_scalar(sql).fetch_all(&self.test.pool).await.unwrap()
    }

    async fn refusal(&self) -> String {
        let error = self.align(Duration::ZERO).await.unwrap_err();
        assert!(self.barriers().await.iter().all(Option::is_none), "no barrier is left");
        error.to_string()
    }
}

/// What the snapshot sees of a build's one row.
async fn seen(snapshot: &mut Snapshot, build: BuildId) -> i64 {
    let sql = format!("SELECT n FROM {}.sums WHERE id = 1", build.schema());
    sqlx::query_scalar(&sql).fetch_one(snapshot.connection()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_commit_passes_a_barrier() {
    let pair = Pair::at([5, 5]).await;
    pair.test.set_barrier(9, HOUR).await;
    let error = pair.commit(0, 5, 12).await.unwrap_err();
    assert!(matches!(error, AdvanceError::Barrier(Position(9))), "{error}");
    assert_eq!(pair.test.checkpoint(pair.builds[0]).await, 5);
    let error = pair.commit(0, 4, 12).await.unwrap_err();
    assert!(matches!(error, AdvanceError::LeaseLost(_)), "it does not begin at the checkpoint: {error}");
    pair.commit(0, 5, 7).await.unwrap();
    pair.commit(0, 7, 9).await.unwrap();
    assert!(matches!(pair.commit(0, 9, 10).await.unwrap_err(), AdvanceError::Barrier(Position(9))));

    pair.test.set_barrier(9, Duration::ZERO).await;
    pair.commit(0, 9, 10).await.unwrap();
    assert_eq!(pair.test.checkpoint(pair.builds[0]).await, 10, "a barrier that has expired holds no build");
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_at_one_position_are_aligned_whatever_their_states() {
    let pair = Pair::at([7, 7]).await;
    pair.set(0, |kept| (kept.work, kept.stage) = (Work::Halted, Stage::Replaying)).await;
    pair.set(1, |kept| kept.stage = Stage::Replaying).await;
    let (position, mut snapshot) = pair.align(Duration::ZERO).await.unwrap();
    assert_eq!((position, pair.barriers().await), (Position(7), vec![None; 2]));

    // The build that goes on is not held, and the snapshot does not see its new rows.
    pair.commit(1, 7, 8).await.unwrap();
    assert_eq!((seen(&mut snapshot, pair.builds[0]).await, seen(&mut snapshot, pair.builds[1]).await), (7, 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_build_behind_reaches_the_barrier_at_the_build_ahead() {
    for ahead_is_paused in [false, true] {
        let pair = Pair::at([20, 5]).await;
        if ahead_is_paused {
            pair.set(0, |kept| kept.work = Work::Paused).await;
        }
        let follow = async {
            pair.barrier_at(20).await;
            assert!(matches!(pair.commit(0, 20, 21).await.unwrap_err(), AdvanceError::Barrier(Position(20))));
            assert!(matches!(pair.commit(1, 5, 21).await.unwrap_err(), AdvanceError::Barrier(Position(20))));
            pair.commit(1, 5, 20).await.unwrap();
            while has_barrier(&pair.test.pool, pair.builds[1].subscription(), Position(20)).await.unwrap() {
                tokio::task::yield_now().await;
            }
            pair.commit(1, 20, 30).await.unwrap();
        };
        let (aligned, ()) = tokio::join!(pair.align(TIMEOUT), follow);
        let (position, mut snapshot) = aligned.unwrap();
        assert_eq!(position, Position(20));
        assert_eq!((seen(&mut snapshot, pair.builds[0]).await, seen(&mut snapshot, pair.builds[1]).await), (20, 20));
    }
}

/// A barrier that another host lifts, or that expires, is set again at the position of the build that is ahead by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_that_is_lost_is_set_again() {
    let pair = Pair::at([20, 5]).await;
    let follow = async {
        pair.barrier_at(20).await;
        let barrier = pair.test.barrier(20).await;
        lift_barriers(&pair.test.pool, &barrier).await.unwrap();
        // It may be set again in between; then this commit is refused and tried again, as a worker does.
        while pair.commit(0, 20, 25).await.is_err() {
            lift_barriers(&pair.test.pool, &barrier).await.unwrap();
        }
        pair.barrier_at(25).await;
        pair.commit(1, 5, 25).await.unwrap();
    };
    let (aligned, ()) = tokio::join!(pair.align(TIMEOUT), follow);
    assert_eq!(aligned.unwrap().0, Position(25));
}

#[tokio::test(flavor = "multi_thread")]
async fn barriers_of_other_hosts_are_waited_for_and_expired_ones_are_ignored() {
    let pair = Pair::at([7, 7]).await;
    pair.test.set_barrier(6, Duration::ZERO).await;
    assert_eq!(pair.align(Duration::ZERO).await.unwrap().0, Position(7));

    // Two alignments of the same builds take turns.
    let both = tokio::join!(pair.align(TIMEOUT), pair.align(TIMEOUT));
    assert_eq!((both.0.unwrap().0, both.1.unwrap().0), (Position(7), Position(7)));

    pair.test.set_barrier(7, HOUR).await;
    let error = pair.align(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, AlignError::TimedOut { .. }), "the other host's barrier stays: {error}");
    assert_eq!(pair.barriers().await, [Some(7); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_says_why_builds_cannot_be_aligned() {
    let pair = Pair::at([20, 5]).await;
    assert_eq!(
        pair.refusal().await,
        "the builds did not come to one position within 0 s: build 1 is at 20, build 2 at 5; try again, or wait longer"
    );
    for (work, state) in
        [(Work::Paused, BuildState::Paused), (Work::Halted, BuildState::Halted), (Work::Failed, BuildState::Failed)]
    {
        pair.set(1, |kept| kept.work = work).await;
        assert_eq!(
            pair.refusal().await,
            format!(
                "build 2 is {state} at position 5, and build 1 has gone on to position 20; they can be brought to one \
                 position when build 2 goes on"
            )
        );
    }
    pair.set(1, |kept| (kept.work, kept.stage) = (Work::Running, Stage::Replaying)).await;
    assert_eq!(pair.refusal().await, "build 2 is still replaying, and is at position 5; try again when it is live");
    pair.test.retire(pair.builds[1]).await;
    assert_eq!(pair.refusal().await, "build 2 is retired; its tables are dropped or about to be");
    // As if the projection was deleted between the looks at the two builds: a delete removes both.
    sqlx::query("DELETE FROM gnomon.subscriptions WHERE subscription = 2").execute(&pair.test.pool).await.unwrap();
    assert_eq!(pair.refusal().await, "build 2 is retired; its tables are dropped or about to be");
}

/// A swap holds one build until the other has reached its checkpoint. An alignment of both must not hold that other one.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_one_build_lets_the_other_go_on() {
    let pair = Pair::at([5, 20]).await;
    let mut swap = crate::postgres::begin(&pair.test.pool).await.unwrap();
    sqlx::query("SELECT FROM gnomon.subscriptions WHERE subscription = $1 FOR UPDATE")
        .bind(pair.builds[1].0)
        .execute(&mut *swap)
        .await
        .unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let follow = async {
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&pair.test.pool).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
        pair.commit(0, 5, 19).await.unwrap();
        swap.rollback().await.unwrap();
        pair.barrier_at(20).await;
        pair.commit(0, 19, 20).await.unwrap();
    };
    let (aligned, ()) = tokio::join!(pair.align(TIMEOUT), follow);
    assert_eq!(aligned.unwrap().0, Position(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_halts_on_its_way_is_not_waited_for() {
    let pair = Pair::at([20, 5]).await;
    let halt = async {
        pair.barrier_at(20).await;
        pair.set(1, |kept| kept.work = Work::Halted).await;
    };
    let (aligned, ()) = tokio::join!(pair.align(TIMEOUT), halt);
    assert!(matches!(aligned.unwrap_err(), AlignError::Passed { state: BuildState::Halted, .. }));
    assert_eq!(pair.barriers().await, [None; 2]);
}

/// With a barrier, the build ahead would wait for as long as the other takes to catch up.
#[tokio::test(flavor = "multi_thread")]
async fn builds_far_apart_get_no_barrier() {
    let pair = Pair::at([2_000_000, 5]).await;
    let come_near = async {
        pair.commit(1, 5, 1_000_000).await.unwrap();
        pair.commit(0, 2_000_000, 2_000_001).await.unwrap();
        pair.commit(1, 1_000_000, 1_999_990).await.unwrap();
        pair.barrier_at(2_000_001).await;
        pair.commit(1, 1_999_990, 2_000_001).await.unwrap();
    };
    let (aligned, ()) = tokio::join!(pair.align(TIMEOUT), come_near);
    assert_eq!(aligned.unwrap().0, Position(2_000_001));
}
