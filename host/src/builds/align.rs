//! Bringing two builds to one position, for as long as it takes to begin a snapshot of both.
//!
//! Builds go on by themselves, on hosts of their own, so two of them hardly ever stand at one position. A barrier says where
//! they are to do so: at the checkpoint of the one that is ahead. While it stands, no commit passes that position, and a worker
//! whose commit is refused comes exactly there and waits. When both are there, a snapshot is begun, the barrier is lifted, and
//! both go on, whatever is done with the snapshot.
//!
//! That both stood there is read in the snapshot itself. All else here is about getting there soon and keeping nobody longer
//! than needed: if a barrier lapses, or somebody else lifts it, it is set again.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};

use super::{
    build::{Build, BuildId},
    snapshot::Snapshot,
    state::{BuildState, Stage, State},
    store,
};
use crate::{
    event_log::Position,
    subscriptions::{
        self, Barrier, Progress, SubscriptionId, checkpoints, lift_barriers, prolong_barriers, set_barriers,
    },
};

/// How long a barrier stands whose host is gone.
const LAPSE: Duration = Duration::from_secs(3);
/// How often a host that waits prolongs it.
const PROLONG: Duration = Duration::from_secs(1);
/// How often those who wait look at builds that another host works on.
const POLL: Duration = Duration::from_millis(10);
/// Builds that go on both get a barrier when they are no further apart: the one ahead has to wait for the other.
const NEAR: u64 = 10_000;

/// Why two builds are not brought to one position.
#[derive(Debug, thiserror::Error)]
pub enum AlignError {
    /// The build is retired, or was.
    #[error("build {0} is retired; its tables are dropped or about to be")]
    Retired(BuildId),
    /// A build that replays the log goes too fast to be waited for, and the other would have to.
    #[error("build {build} is still replaying, and is at position {checkpoint}; try again when it is live")]
    Replaying {
        /// The build.
        build: BuildId,
        /// Where it is.
        checkpoint: Position,
    },
    /// One stands still where the other has been already.
    #[error(
        "build {behind} is {state} at position {checkpoint}, and build {ahead} has gone on to position {ahead_checkpoint}; \
         they can be brought to one position when build {behind} goes on"
    )]
    Passed {
        /// The build that stands still.
        behind: BuildId,
        /// Paused, halted or failed.
        state: BuildState,
        /// Where it stands.
        checkpoint: Position,
        /// The build that has gone on.
        ahead: BuildId,
        /// Where that one is.
        ahead_checkpoint: Position,
    },
    /// They did not come to one position in time.
    #[error(
        "the builds did not come to one position within {} s: build {left} is at {left_checkpoint}, build {right} at \
         {right_checkpoint}; try again, or wait longer",
        waited.as_secs_f64()
    )]
    TimedOut {
        /// One build.
        left: BuildId,
        /// Where it is.
        left_checkpoint: Position,
        /// The other build.
        right: BuildId,
        /// Where that one is.
        right_checkpoint: Position,
        /// How long was waited.
        waited: Duration,
    },
    /// Postgres fails.
    #[error("cannot bring two builds to one position: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for AlignError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// What two builds can do now to come to one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// A barrier here.
    At(Position),
    /// Wait until they are nearer, or another barrier is lifted.
    Later,
}

/// A build, and where it stands.
struct Standing {
    build: Build,
    progress: Progress,
}

/// Waits until two builds stand at one position and begins the snapshot there; answers the position.
///
/// `pool` is where barriers are set; `committed` wakes at commits of this host.
pub(crate) async fn align(
    pool: &PgPool,
    snapshot: &mut Snapshot,
    mut committed: watch::Receiver<u64>,
    builds: [BuildId; 2],
    timeout: Duration,
) -> Result<Position, AlignError> {
    let deadline = Instant::now() + timeout;
    loop {
        committed.mark_unchanged();
        let plan = set_barrier(pool, builds).await?;
        if let Plan::At(at) = plan {
            let barrier = Barrier { subscriptions: numbers(builds), at };
            let aligned = begin_when_both_are_there(pool, &barrier, snapshot, &mut committed, deadline).await;
            // Lifted whatever the result is: both want to go on. If this fails, it lapses.
            lift_barriers(pool, &barrier).await?;
            if aligned? {
                return Ok(at);
            }
        }
        if Instant::now() >= deadline {
            let stand = checkpoints(&mut *pool.acquire().await?, &numbers(builds)).await?;
            let at = |build: BuildId| {
                let found = stand.iter().find(|(other, _)| *other == build.subscription());
                found.map(|(_, checkpoint)| *checkpoint).unwrap_or_default()
            };
            return Err(AlignError::TimedOut {
                left: builds[0],
                left_checkpoint: at(builds[0]),
                right: builds[1],
                right_checkpoint: at(builds[1]),
                waited: timeout,
            });
        }
        wake(&mut committed, deadline).await;
    }
}

fn numbers(builds: [BuildId; 2]) -> Vec<SubscriptionId> {
    builds.map(BuildId::subscription).to_vec()
}

/// Sets a barrier for two builds, if they can come to one position now.
async fn set_barrier(pool: &PgPool, builds: [BuildId; 2]) -> Result<Plan, AlignError> {
    let mut transaction = pool.begin().await?;
    // Neither build moves until both have the barrier.
    let Some(progress) = subscriptions::lock(&mut transaction, &numbers(builds)).await? else { return Ok(Plan::Later) };
    let found = store::get(&mut *transaction, &builds).await?;
    let standing = |build: BuildId| {
        let found = found.iter().find(|found| found.id == build && found.state != State::Retired);
        let progress = progress.iter().find(|progress| progress.subscription == build.subscription());
        match (found, progress) {
            (Some(found), Some(progress)) => Ok(Standing { build: found.clone(), progress: *progress }),
            _ => Err(AlignError::Retired(build)),
        }
    };
    let plan = plan(&standing(builds[0])?, &standing(builds[1])?)?;
    if let Plan::At(at) = plan {
        set_barriers(&mut transaction, &Barrier { subscriptions: numbers(builds), at }, LAPSE).await?;
        transaction.commit().await?;
    }
    Ok(plan)
}

/// Whether and where two builds can be brought to one position.
fn plan(left: &Standing, right: &Standing) -> Result<Plan, AlignError> {
    if left.progress.barrier.is_some() || right.progress.barrier.is_some() {
        return Ok(Plan::Later);
    }
    let (behind, ahead) =
        if left.progress.checkpoint <= right.progress.checkpoint { (left, right) } else { (right, left) };
    let (checkpoint, ahead_checkpoint) = (behind.progress.checkpoint, ahead.progress.checkpoint);
    if checkpoint == ahead_checkpoint {
        return Ok(Plan::At(checkpoint));
    }
    if !behind.build.state.is_running() {
        return Err(AlignError::Passed {
            behind: behind.build.id,
            state: behind.build.word(),
            checkpoint,
            ahead: ahead.build.id,
            ahead_checkpoint,
        });
    }
    for one in [behind, ahead] {
        let replays = one.build.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
        if replays && one.build.state.is_running() {
            return Err(AlignError::Replaying { build: one.build.id, checkpoint: one.progress.checkpoint });
        }
    }
    let waits = ahead.build.state.is_running();
    Ok(if waits && ahead_checkpoint.0 - checkpoint.0 > NEAR { Plan::Later } else { Plan::At(ahead_checkpoint) })
}

/// Begins the snapshot when both builds stand at the barrier; false if it falls before, or the deadline comes.
async fn begin_when_both_are_there(
    pool: &PgPool,
    barrier: &Barrier,
    snapshot: &mut Snapshot,
    committed: &mut watch::Receiver<u64>,
    deadline: Instant,
) -> Result<bool, AlignError> {
    let mut prolonged = Instant::now();
    loop {
        committed.mark_unchanged();
        let progress = subscriptions::progress_of(pool, &barrier.subscriptions).await?;
        let there = |one: &Progress| one.checkpoint == barrier.at;
        if progress.iter().filter(|one| there(one)).count() == barrier.subscriptions.len() {
            return Ok(begin(barrier, snapshot).await?);
        }
        let builds: Vec<BuildId> = barrier.subscriptions.iter().map(|one| BuildId::from(*one)).collect();
        let builds = store::get(pool, &builds).await?;
        let is_coming = |one: &Progress| {
            let build = builds.iter().find(|build| build.id.subscription() == one.subscription);
            let on_the_way = one.checkpoint < barrier.at && build.is_some_and(|build| build.state.is_running());
            one.barrier == Some(barrier.at) && (on_the_way || there(one))
        };
        if Instant::now() >= deadline || !progress.iter().all(is_coming) {
            return Ok(false);
        }
        if prolonged.elapsed() >= PROLONG {
            prolong_barriers(pool, barrier, LAPSE).await?;
            prolonged = Instant::now();
        }
        wake(committed, deadline).await;
    }
}

/// Begins the snapshot; false if a build is somewhere else in it.
async fn begin(barrier: &Barrier, snapshot: &mut Snapshot) -> Result<bool, sqlx::Error> {
    snapshot.begin().await?;
    let checkpoints = checkpoints(snapshot.connection(), &barrier.subscriptions).await?;
    let there = checkpoints.iter().filter(|(_, checkpoint)| *checkpoint == barrier.at).count();
    if there == barrier.subscriptions.len() {
        return Ok(true);
    }
    snapshot.rollback().await?;
    Ok(false)
}

/// Waits for something to look at: this host's own commits wake at once, those of others are found by looking.
async fn wake(committed: &mut watch::Receiver<u64>, deadline: Instant) {
    tokio::select! {
        Ok(()) = committed.changed() => {}
        () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
    }
}
