//! The row of a subscription: its checkpoint, and the barrier that may hold it.
//!
//! All SQL on that row is here, in [`lease`](super::lease) and in [`redelivery`](super::redelivery). It is locked with FOR NO KEY UPDATE:
//! FOR UPDATE would keep out the foreign keys that refer to it as well, and so stop transactions that have nothing to do with its content,
//! and lock rows in an order that no statement shows.

use std::time::Duration;

use sqlx::{
    Executor, PgConnection, PgPool, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};

use super::{
    handled::Handled,
    id::SubscriptionId,
    lease::{Lease, LeaseLost},
};
use crate::{
    event_log::Position,
    postgres::{is_lock_timeout, sql_row},
};

/// How long a commit waits for a lock, as Postgres reads it: on a table that somebody has locked, for example. Until then the row of its
/// subscription is locked, and who wants that waits longer than this.
pub(crate) const COMMIT_LOCK_TIMEOUT: &str = "2s";

/// A move of a checkpoint from `from` to `to`: the events behind `from`, up to and with `to`, have their effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) from: Position,
    pub(crate) to: Position,
    pub(crate) events_per_second: f64,
    /// The batches that its events came in.
    pub(crate) batches: Batches,
}

/// Batches that had events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    /// How many there were.
    pub count: u64,
    /// Events of all of them.
    pub events: u64,
    /// Events of the largest.
    pub largest: u64,
}

impl Batches {
    /// One batch of so many events, or no batch if there are no events.
    pub(crate) fn one(events: usize) -> Self {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        Self { count: events.min(1), events, largest: events }
    }

    /// These batches and others.
    pub(crate) fn and(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            events: self.events + later.events,
            largest: self.largest.max(later.largest),
        }
    }
}

/// Why a checkpoint is not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdvanceError {
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    /// The step would pass a barrier.
    #[error("there is a barrier at position {0}")]
    Barrier(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Why a lease is not held until the end of the transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HoldError {
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Inserts a subscription that begins before the first event.
pub(crate) async fn insert(connection: &mut PgConnection) -> Result<SubscriptionId, sqlx::Error> {
    sqlx::query_scalar("INSERT INTO gnomon.subscriptions DEFAULT VALUES RETURNING subscription")
        .fetch_one(connection)
        .await
}

/// Inserts a subscription that begins behind a position.
pub(crate) async fn insert_at(
    connection: &mut PgConnection,
    checkpoint: Position,
) -> Result<SubscriptionId, sqlx::Error> {
    sqlx::query_scalar("INSERT INTO gnomon.subscriptions (checkpoint) VALUES ($1) RETURNING subscription")
        .bind(checkpoint)
        .fetch_one(connection)
        .await
}

/// The checkpoint of a subscription, if the lease is held.
pub(crate) async fn checkpoint(pool: &PgPool, lease: Lease) -> Result<Position, HoldError> {
    let checkpoint: Option<Position> =
        sqlx::query_scalar("SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2")
            .bind(lease.subscription)
            .bind(lease.epoch)
            .fetch_optional(pool)
            .await?;
    Ok(checkpoint.ok_or(LeaseLost)?)
}

/// The checkpoints of subscriptions, by number.
pub(crate) async fn checkpoints(
    connection: &mut PgConnection,
    subscriptions: &[SubscriptionId],
) -> Result<Vec<(SubscriptionId, Position)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT subscription, checkpoint FROM gnomon.subscriptions WHERE subscription = ANY($1) ORDER BY subscription",
    )
    .bind(subscriptions)
    .fetch_all(connection)
    .await
}

/// Whether a step may change rows of the subscription's build.
///
/// Where it may, it gets other `contents`, by which answers that were read before are known to be old. So whoever writes rows has to say so in
/// the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// They stay as they are.
    Kept,
    /// Some may change.
    Changed,
}

/// Moves a checkpoint if the lease is held, the checkpoint is where the step begins, and no barrier stands before the step's end;
/// and adds the events that the step handles to those of the subscription. The row stays locked until the transaction ends, so the lease
/// cannot be taken away in between, and the rest of the transaction waits for no lock for long.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    lease: Lease,
    step: &Step,
    handled: &Handled,
    rows: Rows,
) -> Result<Moved, AdvanceError> {
    if let Some(moved) = try_move(connection, lease, step, handled, rows).await? {
        return Ok(moved);
    }
    match find_obstacle(connection, lease, step).await? {
        Obstacle::LeaseLost => Err(LeaseLost.into()),
        Obstacle::Barrier(at) => Err(AdvanceError::Barrier(at)),
        // The barrier ended between the two statements. Now the row is locked, so no other can be set.
        Obstacle::None => Ok(try_move(connection, lease, step, handled, rows).await?.ok_or(LeaseLost)?),
    }
}

/// A checkpoint was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Whether somebody follows the rows of the build.
    pub(crate) is_followed: bool,
}

/// Reads [`MOVED`]; `None` if the checkpoint was not moved.
pub(crate) fn moved(row: &PgRow) -> Result<Option<Moved>, sqlx::Error> {
    Ok(row.try_get::<Option<bool>, _>(0)?.map(|is_followed| Moved { is_followed }))
}

/// The column by which the last part of a statement that begins with [`MOVE`] says whether the checkpoint was moved. It is always one row.
pub(crate) const MOVED: &str = "(SELECT is_followed FROM moved)";

/// Moves the checkpoint, if nothing stands in its way.
async fn try_move(
    connection: &mut PgConnection,
    lease: Lease,
    step: &Step,
    handled: &Handled,
    rows: Rows,
) -> Result<Option<Moved>, sqlx::Error> {
    // One statement, so that counts, checkpoint and timeout need one round trip.
    let text = format!("{MOVE} SELECT {MOVED}, set_config('lock_timeout', '{COMMIT_LOCK_TIMEOUT}', true)");
    moved(&bind_move(sqlx::query(&text), lease, step, handled, rows).fetch_one(connection).await?)
}

/// The beginning of a statement that moves a checkpoint under the conditions of [`advance`]: `moved` has a row if it is moved, and what the
/// statement writes beside it has to come from that row. It has [`MOVE_PARAMETERS`], which [`bind_move`] binds.
pub(crate) const MOVE: &str = "WITH moved AS (
     UPDATE gnomon.subscriptions
     SET checkpoint = $4, events_per_second = $5, committed_at = clock_timestamp(),
         batches = batches + $6, batch_events = batch_events + $7, largest_batch = greatest(largest_batch, $8),
         contents = CASE WHEN $11 THEN gen_random_uuid() ELSE contents END,
         contents_before = CASE WHEN $11 THEN contents ELSE contents_before END
     WHERE subscription = $1 AND lease_epoch = $2 AND checkpoint = $3
       AND (barrier_at IS NULL OR barrier_at >= $4 OR barrier_until <= clock_timestamp())
     RETURNING subscription, checkpoint, contents_before, contents,
         coalesce(followed_until > clock_timestamp(), false) AS is_followed
     ), counted AS (
     INSERT INTO gnomon.handled_events AS known (subscription, type, events)
     SELECT subscription, type, events FROM moved, unnest($9::text[], $10::bigint[]) AS handled (type, events)
     ON CONFLICT (subscription, type) DO UPDATE SET events = known.events + excluded.events
     )";
/// The parameters of [`MOVE`].
pub(crate) const MOVE_PARAMETERS: usize = 11;

/// Binds the parameters of [`MOVE`].
pub(crate) fn bind_move<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    lease: Lease,
    step: &Step,
    handled: &'q Handled,
    rows: Rows,
) -> Query<'q, Postgres, PgArguments> {
    let (types, events) = handled.columns();
    statement
        .bind(lease.subscription)
        .bind(lease.epoch)
        .bind(step.from)
        .bind(step.to)
        .bind(step.events_per_second)
        .bind(step.batches.count.cast_signed())
        .bind(step.batches.events.cast_signed())
        .bind(step.batches.largest.cast_signed())
        .bind(types)
        .bind(events)
        .bind(rows == Rows::Changed)
}

/// What keeps a step from being made.
enum Obstacle {
    /// The lease is not held, or the checkpoint is not where the step begins.
    LeaseLost,
    /// A barrier stands here, before the step's end.
    Barrier(Position),
    /// Nothing.
    None,
}

/// Looks for what keeps a step from being made, and locks the row.
async fn find_obstacle(connection: &mut PgConnection, lease: Lease, step: &Step) -> Result<Obstacle, sqlx::Error> {
    let row: Option<Option<Position>> = sqlx::query_scalar(
        "SELECT CASE WHEN barrier_at < $4 AND barrier_until > clock_timestamp() THEN barrier_at END
         FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2 AND checkpoint = $3 FOR NO KEY UPDATE",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .bind(step.from)
    .bind(step.to)
    .fetch_optional(connection)
    .await?;
    Ok(match row {
        None => Obstacle::LeaseLost,
        Some(Some(at)) => Obstacle::Barrier(at),
        Some(None) => Obstacle::None,
    })
}

/// Locks the subscription's row, so that the lease cannot be taken away before the transaction ends.
pub(crate) async fn hold(connection: &mut PgConnection, lease: Lease) -> Result<(), HoldError> {
    let held: Option<SubscriptionId> = sqlx::query_scalar(
        "SELECT subscription FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2 FOR NO KEY UPDATE",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .fetch_optional(connection)
    .await?;
    match held {
        Some(_) => Ok(()),
        None => Err(LeaseLost.into()),
    }
}

/// Locks subscriptions until the transaction ends and returns their checkpoints, by number.
pub(crate) async fn lock_checkpoints(
    connection: &mut PgConnection,
    subscriptions: &[SubscriptionId],
) -> Result<Vec<Position>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = ANY($1) ORDER BY subscription FOR NO KEY UPDATE",
    )
    .bind(subscriptions)
    .fetch_all(connection)
    .await
}

/// Deletes the dead letters of a subscription, and the request to try them again.
pub(crate) async fn clear(connection: &mut PgConnection, subscription: SubscriptionId) -> Result<(), sqlx::Error> {
    for statement in [
        "UPDATE gnomon.subscriptions SET retrying = NULL WHERE subscription = $1",
        "DELETE FROM gnomon.dead_letters WHERE subscription = $1",
    ] {
        sqlx::query(statement).bind(subscription).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The checkpoint of a subscription, and the barrier that no commit of it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) subscription: SubscriptionId,
    pub(crate) checkpoint: Position,
    pub(crate) barrier: Option<Position>,
}

sql_row!(Progress { subscription, checkpoint, barrier });

/// Locks subscriptions until the transaction ends and returns their progress, or `None` if another session has held one of them
/// for 100 ms.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    subscriptions: &[SubscriptionId],
) -> Result<Option<Vec<Progress>>, sqlx::Error> {
    // A swap holds one subscription while it waits for another one's checkpoint to move.
    connection.execute("SET LOCAL lock_timeout = '100ms'").await?;
    // All statements lock these rows at once and in this order, so no two of them can wait for each other.
    let sql = format!("{PROGRESS} ORDER BY subscription FOR NO KEY UPDATE");
    match sqlx::query_as(&sql).bind(subscriptions).fetch_all(connection).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if is_lock_timeout(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The progress of subscriptions.
pub(crate) async fn progress_of(pool: &PgPool, subscriptions: &[SubscriptionId]) -> Result<Vec<Progress>, sqlx::Error> {
    sqlx::query_as(PROGRESS).bind(subscriptions).fetch_all(pool).await
}

const PROGRESS: &str =
    "SELECT subscription, checkpoint, CASE WHEN barrier_until > clock_timestamp() THEN barrier_at END AS barrier
     FROM gnomon.subscriptions WHERE subscription = ANY($1)";

/// A position that no commit of some subscriptions passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Barrier {
    pub(crate) subscriptions: Vec<SubscriptionId>,
    pub(crate) at: Position,
}

/// Sets a barrier for this long; it replaces any other. The caller has locked the rows.
pub(crate) async fn set_barriers(
    connection: &mut PgConnection,
    barrier: &Barrier,
    duration: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.subscriptions SET barrier_at = $2, barrier_until = clock_timestamp() + $3
         WHERE subscription = ANY($1)",
    )
    .bind(&barrier.subscriptions)
    .bind(barrier.at)
    .bind(duration)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets a barrier stand for this long from now on, where it still stands.
pub(crate) async fn prolong_barriers(pool: &PgPool, barrier: &Barrier, duration: Duration) -> Result<(), sqlx::Error> {
    // One statement for each, so that none holds one row and waits for the other.
    for subscription in &barrier.subscriptions {
        sqlx::query(
            "UPDATE gnomon.subscriptions SET barrier_until = clock_timestamp() + $3
             WHERE subscription = $1 AND barrier_at = $2",
        )
        .bind(subscription)
        .bind(barrier.at)
        .bind(duration)
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// Lifts a barrier.
pub(crate) async fn lift_barriers(pool: &PgPool, barrier: &Barrier) -> Result<(), sqlx::Error> {
    for subscription in &barrier.subscriptions {
        sqlx::query(
            "UPDATE gnomon.subscriptions SET barrier_at = NULL, barrier_until = NULL
             WHERE subscription = $1 AND barrier_at = $2",
        )
        .bind(subscription)
        .bind(barrier.at)
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// Whether a subscription has a barrier at a position.
pub(crate) async fn has_barrier(
    pool: &PgPool,
    subscription: SubscriptionId,
    at: Position,
) -> Result<bool, sqlx::Error> {
    let stands: Option<bool> = sqlx::query_scalar(
        "SELECT coalesce(barrier_at = $2 AND barrier_until > clock_timestamp(), false)
         FROM gnomon.subscriptions WHERE subscription = $1",
    )
    .bind(subscription)
    .bind(at)
    .fetch_optional(pool)
    .await?;
    Ok(stands == Some(true))
}

/// The batches that the events of a subscription came in.
pub(crate) async fn batches(
    connection: &mut PgConnection,
    subscription: SubscriptionId,
) -> Result<Batches, sqlx::Error> {
    let (count, events, largest): (i64, i64, i64) =
        sqlx::query_as("SELECT batches, batch_events, largest_batch FROM gnomon.subscriptions WHERE subscription = $1")
            .bind(subscription)
            .fetch_one(connection)
            .await?;
    let [count, events, largest] = [count, events, largest].map(i64::cast_unsigned);
    Ok(Batches { count, events, largest })
}
