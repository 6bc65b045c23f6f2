//! Bringing two builds to one position, for as long as it takes to begin a snapshot of both.
//!
//! Builds move independently, on different hosts, so two of them are hardly ever at one position. A barrier is set for both, at
//! the checkpoint of the one that is ahead. While it stands, no commit passes that position, and a worker whose commit is refused
//! folds exactly up to there and waits. When both are there, a snapshot is begun and the barrier is lifted, so both go on while
//! the snapshot is read.
//!
//! The snapshot itself shows whether both builds are at the position; nothing depends on the barrier for that. The barrier only
//! makes it happen soon: if it expires, or another host lifts it, it is set again.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    build::{Build, BuildId},
    commits_here::CommitsHere,
    number::BuildName,
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

/// How long a barrier stands unless it is prolonged; a host that died holds the builds for so long.
const BARRIER_DURATION: Duration = Duration::from_secs(3);
/// How often the host that set a barrier prolongs it.
const PROLONG_INTERVAL: Duration = Duration::from_secs(1);
/// How often checkpoints are read while waiting for builds that another host works on.
const POLL: Duration = Duration::from_millis(10);
/// The largest number of events between two running builds at which they get a barrier: the one ahead waits while the other folds
/// these.
const MAX_BARRIER_DISTANCE: u64 = 10_000;

/// Why two builds are not brought to one position.
#[derive(Debug, thiserror::Error)]
pub enum AlignError {
    /// The build is retired, or was.
    #[error("{0} is retired; its tables are dropped or about to be")]
    Retired(BuildName),
    /// A build that is still replaying gets no barrier: the other build would wait for the rest of the replay.
    #[error("{build} is still replaying, and is at position {checkpoint}; try again when it is live")]
    Replaying {
        /// The build.
        build: BuildName,
        /// Its checkpoint.
        checkpoint: Position,
    },
    /// One build is stopped at a position that the other has passed.
    #[error(
        "{behind} is {state} at position {checkpoint}, and {ahead} has gone on to position {ahead_checkpoint}; they can be \
         brought to one position when {behind} goes on"
    )]
    Passed {
        /// The build that is stopped.
        behind: BuildName,
        /// Paused, halted or failed.
        state: BuildState,
        /// Its checkpoint.
        checkpoint: Position,
        /// The build that has gone on.
        ahead: BuildName,
        /// The checkpoint of that build.
        ahead_checkpoint: Position,
    },
    /// The builds did not reach one position within the timeout.
    #[error(
        "the builds did not come to one position within {} s: {left} is at {left_checkpoint}, {right} at {right_checkpoint}; \
         try again, or wait longer",
        waited.as_secs_f64()
    )]
    TimedOut {
        /// One build.
        left: BuildName,
        /// Its checkpoint.
        left_checkpoint: Position,
        /// The other build.
        right: BuildName,
        /// The checkpoint of that build.
        right_checkpoint: Position,
        /// The timeout.
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

/// Whether two builds get a barrier now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BarrierDecision {
    /// They get one at this position.
    SetAt(Position),
    /// They are too far apart, or another barrier has to be lifted first.
    Wait,
}

/// A build and its progress.
struct BuildProgress {
    build: Build,
    progress: Progress,
}

/// Waits until two builds are at one position, begins the snapshot there and returns the position.
///
/// Barriers are set through `pool`; `committed` changes with each commit of this host.
pub(crate) async fn align(
    pool: &PgPool,
    snapshot: &mut Snapshot,
    mut committed: watch::Receiver<CommitsHere>,
    both: [&Build; 2],
    timeout: Duration,
) -> Result<Position, AlignError> {
    let builds = both.map(|build| build.id);
    let deadline = Instant::now() + timeout;
    loop {
        committed.mark_unchanged();
        if let BarrierDecision::SetAt(at) = set_barrier(pool, both).await? {
            let barrier = Barrier { subscriptions: numbers(builds), at };
            let aligned = begin_when_both_are_there(pool, &barrier, snapshot, &mut committed, deadline).await;
            // Lifted whatever the result is, so that both go on. If this fails, it expires.
            if let Err(error) = lift_barriers(pool, &barrier).await {
                warn!(%error, position = %at, "a barrier is not lifted, and expires");
            }
            if aligned? {
                return Ok(at);
            }
        }
        if Instant::now() >= deadline {
            let checkpoints = checkpoints(&mut *pool.acquire().await?, &numbers(builds)).await?;
            let at = |build: BuildId| {
                let found = checkpoints.iter().find(|(other, _)| *other == build.subscription());
                found.map(|(_, checkpoint)| *checkpoint).unwrap_or_default()
            };
            return Err(AlignError::TimedOut {
                left: both[0].name(),
                left_checkpoint: at(builds[0]),
                right: both[1].name(),
                right_checkpoint: at(builds[1]),
                waited: timeout,
            });
        }
        wait_for_change(&mut committed, deadline).await;
    }
}

fn numbers(builds: [BuildId; 2]) -> Vec<SubscriptionId> {
    builds.map(BuildId::subscription).to_vec()
}

/// Sets a barrier for two builds, if they can reach one position now.
async fn set_barrier(pool: &PgPool, both: [&Build; 2]) -> Result<BarrierDecision, AlignError> {
    let builds = both.map(|build| build.id);
    let mut transaction = crate::postgres::begin(pool).await?;
    // Both checkpoints stay where they are until both builds have the barrier.
    let Some(progress) = subscriptions::lock(&mut transaction, &numbers(builds)).await? else {
        return Ok(BarrierDecision::Wait);
    };
    let found = store::get(&mut *transaction, &builds).await?;
    let progress_of = |build: &Build| {
        let found = found.iter().find(|found| found.id == build.id && found.state != State::Retired);
        let progress = progress.iter().find(|progress| progress.subscription == build.id.subscription());
        match (found, progress) {
            (Some(found), Some(progress)) => Ok(BuildProgress { build: found.clone(), progress: *progress }),
            _ => Err(AlignError::Retired(build.name())),
        }
    };
    let decision = decide_barrier(&progress_of(both[0])?, &progress_of(both[1])?)?;
    if let BarrierDecision::SetAt(at) = decision {
        set_barriers(&mut transaction, &Barrier { subscriptions: numbers(builds), at }, BARRIER_DURATION).await?;
        transaction.commit().await?;
    }
    Ok(decision)
}

/// Decides whether two builds get a barrier, and where.
fn decide_barrier(left: &BuildProgress, right: &BuildProgress) -> Result<BarrierDecision, AlignError> {
    if left.progress.barrier.is_some() || right.progress.barrier.is_some() {
        return Ok(BarrierDecision::Wait);
    }
    let (behind, ahead) =
        if left.progress.checkpoint <= right.progress.checkpoint { (left, right) } else { (right, left) };
    let (checkpoint, ahead_checkpoint) = (behind.progress.checkpoint, ahead.progress.checkpoint);
    if checkpoint == ahead_checkpoint {
        return Ok(BarrierDecision::SetAt(checkpoint));
    }
    if !behind.build.state.is_running() {
        return Err(AlignError::Passed {
            behind: behind.build.name(),
            state: behind.build.word(),
            checkpoint,
            ahead: ahead.build.name(),
            ahead_checkpoint,
        });
    }
    for one in [behind, ahead] {
        let replays = one.build.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
        if replays && one.build.state.is_running() {
            return Err(AlignError::Replaying { build: one.build.name(), checkpoint: one.progress.checkpoint });
        }
    }
    let would_wait = ahead.build.state.is_running();
    let is_far = ahead_checkpoint.0 - checkpoint.0 > MAX_BARRIER_DISTANCE;
    Ok(if would_wait && is_far { BarrierDecision::Wait } else { BarrierDecision::SetAt(ahead_checkpoint) })
}

/// Begins the snapshot when both builds are at the barrier. Returns false if the barrier is lost before, a build stops on its way,
/// or the deadline has passed.
async fn begin_when_both_are_there(
    pool: &PgPool,
    barrier: &Barrier,
    snapshot: &mut Snapshot,
    committed: &mut watch::Receiver<CommitsHere>,
    deadline: Instant,
) -> Result<bool, AlignError> {
    let mut prolonged = Instant::now();
    loop {
        committed.mark_unchanged();
        let progress = subscriptions::progress_of(pool, &barrier.subscriptions).await?;
        let is_there = |one: &Progress| one.checkpoint == barrier.at;
        if progress.iter().filter(|one| is_there(one)).count() == barrier.subscriptions.len() {
            return Ok(begin(barrier, snapshot).await?);
        }
        let builds: Vec<BuildId> = barrier.subscriptions.iter().map(|one| BuildId::from(*one)).collect();
        let builds = store::get(pool, &builds).await?;
        let is_coming = |one: &Progress| {
            let build = builds.iter().find(|build| build.id.subscription() == one.subscription);
            let on_the_way = one.checkpoint < barrier.at && build.is_some_and(|build| build.state.is_running());
            one.barrier == Some(barrier.at) && (on_the_way || is_there(one))
        };
        if Instant::now() >= deadline || !progress.iter().all(is_coming) {
            return Ok(false);
        }
        if prolonged.elapsed() >= PROLONG_INTERVAL {
            prolong_barriers(pool, barrier, BARRIER_DURATION).await?;
            prolonged = Instant::now();
        }
        wait_for_change(committed, deadline).await;
    }
}

/// Begins the snapshot. Returns false if a build is at another position in it.
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

/// Waits for a commit: those of this host wake at once, those of other hosts are found by polling.
async fn wait_for_change(committed: &mut watch::Receiver<CommitsHere>, deadline: Instant) {
    tokio::select! {
        Ok(()) = committed.changed() => {}
        () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
    }
}
