//! Bringing two builds to one position, for the moment that a snapshot of both takes.
//!
//! Builds go on by themselves, on hosts of their own, so two of them hardly ever stand at one position. A meeting says where
//! they are to do so: at the checkpoint of the one that is ahead. While it lasts, no commit passes that position
//! ([`commit`](super::commit)), and a worker whose commit is refused comes exactly there and waits
//! ([`worker`](super::worker)). When both are there, a snapshot is taken, the meeting is lifted, and both go on, whatever is
//! done with the snapshot.
//!
//! That both stood there is read in the snapshot itself. All else here is about getting there soon and keeping nobody longer
//! than needed: if a meeting lapses, or somebody else lifts it, it is called again.

use std::time::Duration;

use sqlx::{Executor, PgPool};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    build::{BuildId, BuildState, Phase, Status},
    snapshot::Snapshot,
};
use crate::event_log::Position;

/// How long a meeting lasts whose caller is gone.
const LAPSE: Duration = Duration::from_secs(3);
/// How often a caller who waits prolongs it.
const PROLONG: Duration = Duration::from_secs(1);
/// How often those who wait look at builds that another host works on.
const POLL: Duration = Duration::from_millis(10);
/// How long to wait for whoever holds one build, while perhaps holding the other.
const LOCK: &str = "SET LOCAL lock_timeout = '100ms'";
/// Builds that go on both are called to meet when they are no further apart: the one ahead has to wait for the other.
const NEAR: u64 = 10_000;

/// Why two builds do not meet.
#[derive(Debug, thiserror::Error)]
pub enum MeetError {
    /// The build is retired, or was.
    #[error("build {0} is retired; its tables are of no use any more")]
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
         they meet again when build {behind} goes on"
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
    Postgres(#[from] sqlx::Error),
}

/// A build on its way to a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traveller {
    build: BuildId,
    checkpoint: Position,
    phase: Phase,
    status: Status,
    /// Where it is called to, if it is.
    called_to: Option<Position>,
}

/// What two builds can do now to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Meet here.
    At(Position),
    /// Wait until they are nearer, or another meeting is over.
    Later,
}

/// Waits until two builds stand at one position and begins the snapshot there; answers the position.
///
/// `pool` is where meetings are called; `committed` wakes at commits of this host.
pub(super) async fn meet(
    pool: &PgPool,
    snapshot: &mut Snapshot,
    mut committed: watch::Receiver<u64>,
    builds: [BuildId; 2],
    patience: Duration,
) -> Result<Position, MeetError> {
    let deadline = Instant::now() + patience;
    loop {
        committed.mark_unchanged();
        let (plan, travellers) = call(pool, builds).await?;
        if let Plan::At(position) = plan {
            let meeting = Meeting { pool, builds, position };
            let met = meeting.begin_when_all_are_there(snapshot, &mut committed, deadline).await;
            // Lifted whatever came of it: both want to go on. If this fails, it lapses.
            meeting.lift().await?;
            if met? {
                return Ok(position);
            }
        }
        if Instant::now() >= deadline {
            let at = |build: BuildId| {
                let traveller = travellers.iter().find(|traveller| traveller.build == build);
                traveller.map(|traveller| traveller.checkpoint).unwrap_or_default()
            };
            return Err(MeetError::TimedOut {
                left: builds[0],
                left_checkpoint: at(builds[0]),
                right: builds[1],
                right_checkpoint: at(builds[1]),
                waited: patience,
            });
        }
        wake(&mut committed, deadline).await;
    }
}

/// Waits until a meeting to which a build was called is over, or `stop` is.
pub(super) async fn wait_until_over(
    pool: &PgPool,
    build: BuildId,
    at: Position,
    stop: &CancellationToken,
) -> Result<(), sqlx::Error> {
    loop {
        let lasts: Option<bool> = sqlx::query_scalar(
            "SELECT coalesce(meet_at = $2 AND meet_until > clock_timestamp(), false)
             FROM gnomon.build_progress WHERE build = $1",
        )
        .bind(build.0)
        .bind(at.to_sql())
        .fetch_optional(pool)
        .await?;
        if lasts != Some(true) {
            return Ok(());
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Calls two builds to a meeting, if they can meet now. Answers where they are, too.
async fn call(pool: &PgPool, builds: [BuildId; 2]) -> Result<(Plan, Vec<Traveller>), MeetError> {
    let mut transaction = pool.begin().await?;
    // Who holds one build may wait for the other to go on, as a swap does.
    transaction.execute(LOCK).await?;
    // Both rows at once and in one order, as everyone locks them: no two can wait for each other. And neither build moves
    // until both are called.
    let sql = format!("{TRAVELLERS} ORDER BY build FOR UPDATE OF progress");
    let rows: Vec<TravellerRow> = match sqlx::query_as(&sql).bind(numbers(builds)).fetch_all(&mut *transaction).await {
        Ok(rows) => rows,
        Err(error) if is_locked(&error) => {
            transaction.rollback().await?;
            let rows: Vec<TravellerRow> = sqlx::query_as(TRAVELLERS).bind(numbers(builds)).fetch_all(pool).await?;
            return Ok((Plan::Later, travellers(rows)));
        }
        Err(error) => return Err(error.into()),
    };
    let travellers = travellers(rows);
    let plan = plan(builds, &travellers)?;
    if let Plan::At(position) = plan {
        sqlx::query(
            "UPDATE gnomon.build_progress SET meet_at = $2, meet_until = clock_timestamp() + $3 WHERE build = ANY($1)",
        )
        .bind(numbers(builds))
        .bind(position.to_sql())
        .bind(LAPSE)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok((plan, travellers))
}

type TravellerRow = (i64, i64, String, String, Option<i64>);

const TRAVELLERS: &str =
    "SELECT build, checkpoint, phase, status, CASE WHEN meet_until > clock_timestamp() THEN meet_at END
     FROM gnomon.build_progress AS progress JOIN gnomon.builds USING (build) WHERE build = ANY($1)";

fn travellers(rows: Vec<TravellerRow>) -> Vec<Traveller> {
    let traveller = |(build, checkpoint, phase, status, called_to): TravellerRow| Traveller {
        build: BuildId(build),
        checkpoint: Position::from_sql(checkpoint),
        phase: Phase::from_sql(&phase),
        status: Status::from_sql(&status),
        called_to: called_to.map(Position::from_sql),
    };
    rows.into_iter().map(traveller).collect()
}

fn is_locked(error: &sqlx::Error) -> bool {
    // Lock not available.
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "55P03")
}

fn numbers(builds: [BuildId; 2]) -> Vec<i64> {
    builds.map(|build| build.0).to_vec()
}

/// Whether and where two builds can meet.
fn plan(builds: [BuildId; 2], travellers: &[Traveller]) -> Result<Plan, MeetError> {
    let find = |build: BuildId| {
        let found = travellers.iter().find(|traveller| traveller.build == build);
        found.filter(|traveller| traveller.status != Status::Retired).ok_or(MeetError::Retired(build))
    };
    let (left, right) = (find(builds[0])?, find(builds[1])?);
    if left.called_to.is_some() || right.called_to.is_some() {
        return Ok(Plan::Later);
    }
    let (behind, ahead) = if left.checkpoint <= right.checkpoint { (left, right) } else { (right, left) };
    if behind.checkpoint == ahead.checkpoint {
        return Ok(Plan::At(ahead.checkpoint));
    }
    if behind.status != Status::Running {
        return Err(MeetError::Passed {
            behind: behind.build,
            state: BuildState::of(behind.phase, behind.status, false),
            checkpoint: behind.checkpoint,
            ahead: ahead.build,
            ahead_checkpoint: ahead.checkpoint,
        });
    }
    for build in [behind, ahead] {
        if build.status == Status::Running && build.phase == Phase::Replaying {
            return Err(MeetError::Replaying { build: build.build, checkpoint: build.checkpoint });
        }
    }
    let waits = ahead.status == Status::Running;
    Ok(if waits && ahead.checkpoint.0 - behind.checkpoint.0 > NEAR { Plan::Later } else { Plan::At(ahead.checkpoint) })
}

/// A meeting that was called.
struct Meeting<'p> {
    pool: &'p PgPool,
    builds: [BuildId; 2],
    position: Position,
}

/// The rows of a meeting that still stands, locked in the order in which everyone locks them.
const CALLED: &str = "WITH called AS (
         SELECT build FROM gnomon.build_progress WHERE build = ANY($1) AND meet_at = $2 ORDER BY build FOR UPDATE
     )
     UPDATE gnomon.build_progress AS progress";

impl Meeting<'_> {
    /// Begins the snapshot; false if the meeting ends before, or the deadline comes.
    async fn begin_when_all_are_there(
        &self,
        snapshot: &mut Snapshot,
        committed: &mut watch::Receiver<u64>,
        deadline: Instant,
    ) -> Result<bool, MeetError> {
        let mut prolonged = Instant::now();
        loop {
            committed.mark_unchanged();
            let rows: Vec<TravellerRow> =
                sqlx::query_as(TRAVELLERS).bind(numbers(self.builds)).fetch_all(self.pool).await?;
            let travellers = travellers(rows);
            if travellers.iter().filter(|one| one.checkpoint == self.position).count() == self.builds.len() {
                return Ok(self.begin(snapshot).await?);
            }
            if Instant::now() >= deadline || !travellers.iter().all(|one| self.is_coming(one)) {
                return Ok(false);
            }
            if prolonged.elapsed() >= PROLONG {
                self.prolong().await?;
                prolonged = Instant::now();
            }
            wake(committed, deadline).await;
        }
    }

    fn is_coming(&self, traveller: &Traveller) -> bool {
        let on_the_way = traveller.checkpoint < self.position && traveller.status == Status::Running;
        traveller.called_to == Some(self.position) && (on_the_way || traveller.checkpoint == self.position)
    }

    /// Begins the snapshot; false if a build is somewhere else in it.
    async fn begin(&self, snapshot: &mut Snapshot) -> Result<bool, sqlx::Error> {
        snapshot.begin().await?;
        let checkpoints = snapshot.checkpoints(&self.builds).await?;
        let there = checkpoints.iter().filter(|(_, checkpoint)| *checkpoint == self.position).count();
        if there == self.builds.len() {
            return Ok(true);
        }
        snapshot.rollback().await?;
        Ok(false)
    }

    async fn prolong(&self) -> Result<(), sqlx::Error> {
        let sql =
            format!("{CALLED} SET meet_until = clock_timestamp() + $3 FROM called WHERE progress.build = called.build");
        let statement = sqlx::query(&sql).bind(numbers(self.builds)).bind(self.position.to_sql()).bind(LAPSE);
        statement.execute(self.pool).await.map(drop)
    }

    async fn lift(&self) -> Result<(), sqlx::Error> {
        let sql =
            format!("{CALLED} SET meet_at = NULL, meet_until = NULL FROM called WHERE progress.build = called.build");
        let statement = sqlx::query(&sql).bind(numbers(self.builds)).bind(self.position.to_sql());
        statement.execute(self.pool).await.map(drop)
    }
}

/// Waits for something to look at: this host's own commits wake at once, those of others are found by looking.
async fn wake(committed: &mut watch::Receiver<u64>, deadline: Instant) {
    tokio::select! {
        Ok(()) = committed.changed() => {}
        () = tokio::time::sleep_until(deadline.min(Instant::now() + POLL)) => {}
    }
}
