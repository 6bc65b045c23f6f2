//! Committing what a batch changed, with the checkpoint, or not at all.

use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use super::{
    dead_letters::{self, DeadLetter},
    lease::Lease,
    store,
};
use crate::{
    event_log::Position,
    read_model::{TableSet, WriteSet},
};

/// The effect of the events behind `from`, up to and with `to`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) from: Position,
    pub(super) to: Position,
    pub(super) events_per_second: f64,
    /// Whether the loss of the commit in a crash of Postgres costs nothing but doing it again.
    pub(super) replayable: bool,
    /// How many events the build may set aside.
    pub(super) max_dead_letters: u64,
    /// The batches in which its events came.
    pub(super) batches: Batches,
}

/// Batches that had events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Batches {
    /// How many there were.
    pub count: u64,
    /// Events of all of them.
    pub events: u64,
    /// Events of the largest.
    pub largest: u64,
}

impl Batches {
    /// One batch; none if it has no events.
    pub(super) fn one(events: usize) -> Self {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        Self { count: events.min(1), events, largest: events }
    }

    /// With those that came after.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            events: self.events + later.events,
            largest: self.largest.max(later.largest),
        }
    }
}

/// What a step brings.
#[derive(Debug)]
pub(super) struct Effect<'e> {
    pub(super) writes: &'e WriteSet,
    /// Events that are taken back from those set aside.
    pub(super) taken_back: &'e [Position],
    /// Events that are set aside.
    pub(super) set_aside: &'e [DeadLetter],
    /// If dead letters are tried again, what came of it.
    pub(super) retry: Option<RetryProgress>,
}

/// How far dead letters have been tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryProgress {
    /// Those up to this position have been tried.
    pub(super) to: Position,
    /// Whether these were the last.
    pub(super) done: bool,
    /// Events that are folded behind later ones.
    pub(super) out_of_order: u64,
}

/// Why a step was not committed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// Another host holds the lease, or did in between.
    #[error("the lease of the build is lost")]
    Fenced,
    /// Too many events are set aside.
    #[error("{found} events would be set aside; the limit is {max}")]
    TooManyDeadLetters { found: u64, max: u64 },
    /// The build is called to a meeting at a position that the step would pass.
    #[error("the build is called to a meeting at position {0}")]
    Meeting(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Commits rows and checkpoint in one transaction.
pub(super) async fn commit(
    pool: &PgPool,
    lease: Lease,
    tables: &TableSet,
    step: &Step,
    effect: &Effect<'_>,
) -> Result<(), CommitError> {
    let mut transaction = pool.begin().await?;
    if step.replayable {
        sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *transaction).await?;
    }
    // First of all, and under the row's lock: from here to the commit nobody can take the lease.
    advance(&mut transaction, lease, step).await?;
    tables.apply(&mut transaction, effect.writes).await?;
    if !effect.taken_back.is_empty() {
        dead_letters::take_back(&mut transaction, lease.build, effect.taken_back).await?;
    }
    if !effect.set_aside.is_empty() {
        let found = dead_letters::set_aside(&mut transaction, lease.build, effect.set_aside).await?;
        if found > step.max_dead_letters {
            return Err(CommitError::TooManyDeadLetters { found, max: step.max_dead_letters });
        }
    }
    if let Some(progress) = &effect.retry {
        store::set_retry_progress(&mut transaction, lease.build, progress).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Moves the checkpoint, provided that the lease is held, the build stands where the step begins, and no meeting is before
/// where it ends.
async fn advance(connection: &mut PgConnection, lease: Lease, step: &Step) -> Result<(), CommitError> {
    if moved(connection, lease, step).await? {
        return Ok(());
    }
    match meeting_before(connection, lease, step).await? {
        None => Err(CommitError::Fenced),
        Some(Some(at)) => Err(CommitError::Meeting(at)),
        // It ended between the two statements. Now the row is locked, and nobody can call another.
        Some(None) if moved(connection, lease, step).await? => Ok(()),
        Some(None) => Err(CommitError::Fenced),
    }
}

async fn moved(connection: &mut PgConnection, lease: Lease, step: &Step) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE gnomon.build_progress
         SET checkpoint = $4, events_per_second = $5, committed_at = clock_timestamp(),
             batches = batches + $6, batch_events = batch_events + $7, largest_batch = greatest(largest_batch, $8)
         WHERE build = $1 AND lease_epoch = $2 AND checkpoint = $3
           AND (meet_at IS NULL OR meet_at >= $4 OR meet_until <= clock_timestamp())",
    )
    .bind(lease.build.0)
    .bind(lease.epoch)
    .bind(step.from.to_sql())
    .bind(step.to.to_sql())
    .bind(step.events_per_second)
    .bind(step.batches.count.cast_signed())
    .bind(step.batches.events.cast_signed())
    .bind(step.batches.largest.cast_signed())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(moved == 1)
}

/// Where the build is to meet another before the step's end, if it is; nothing at all if the step cannot be made anyway.
async fn meeting_before(
    connection: &mut PgConnection,
    lease: Lease,
    step: &Step,
) -> Result<Option<Option<Position>>, sqlx::Error> {
    let at: Option<Option<i64>> = sqlx::query_scalar(
        "SELECT CASE WHEN meet_at < $4 AND meet_until > clock_timestamp() THEN meet_at END
         FROM gnomon.build_progress WHERE build = $1 AND lease_epoch = $2 AND checkpoint = $3 FOR UPDATE",
    )
    .bind(lease.build.0)
    .bind(lease.epoch)
    .bind(step.from.to_sql())
    .bind(step.to.to_sql())
    .fetch_optional(connection)
    .await?;
    Ok(at.map(|at| at.map(Position::from_sql)))
}

/// Holds the lease's row for the rest of the caller's transaction, provided that the lease is held.
pub(super) async fn hold(connection: &mut PgConnection, lease: Lease) -> Result<(), CommitError> {
    let held: Option<i64> =
        sqlx::query_scalar("SELECT build FROM gnomon.build_progress WHERE build = $1 AND lease_epoch = $2 FOR UPDATE")
            .bind(lease.build.0)
            .bind(lease.epoch)
            .fetch_optional(connection)
            .await?;
    held.map(drop).ok_or(CommitError::Fenced)
}
