//! The row of a subscription: where it stands, and who may move it.
//!
//! All SQL on that row is here, in [`lease`](super::lease) and in [`redelivery`](super::redelivery).

use std::time::Duration;

use sqlx::{Executor, PgConnection, PgPool};

use super::{id::SubscriptionId, lease::Lease};
use crate::{event_log::Position, postgres::is_lock_timeout};

/// The move of a checkpoint: the effect of the events behind `from`, up to and with `to`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) from: Position,
    pub(crate) to: Position,
    pub(crate) events_per_second: f64,
    /// The batches in which its events came.
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
    /// One batch; none if it has no events.
    pub(crate) fn one(events: usize) -> Self {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        Self { count: events.min(1), events, largest: events }
    }

    /// With those that came after.
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
    /// Another host holds the lease, or did in between.
    #[error("the lease is lost")]
    Fenced,
    /// The step would pass a barrier.
    #[error("there is a barrier at position {0}")]
    Barrier(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Enters a subscription that begins before the first event.
pub(crate) async fn insert(connection: &mut PgConnection) -> Result<SubscriptionId, sqlx::Error> {
    sqlx::query_scalar("INSERT INTO gnomon.subscriptions DEFAULT VALUES RETURNING subscription")
        .fetch_one(connection)
        .await
}

/// The checkpoint of a subscription whose lease is held; none if it is not held any more.
pub(crate) async fn checkpoint(pool: &PgPool, lease: Lease) -> Result<Option<Position>, sqlx::Error> {
    sqlx::query_scalar("SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2")
        .bind(lease.subscription)
        .bind(lease.epoch)
        .fetch_optional(pool)
        .await
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

/// Moves a checkpoint, provided that the lease is held, the subscription stands where the step begins, and no barrier is before
/// where it ends. From here to the end of the transaction nobody can take the lease.
pub(crate) async fn advance(connection: &mut PgConnection, lease: Lease, step: &Step) -> Result<(), AdvanceError> {
    if moved(connection, lease, step).await? {
        return Ok(());
    }
    match barrier_before(connection, lease, step).await? {
        None => Err(AdvanceError::Fenced),
        Some(Some(at)) => Err(AdvanceError::Barrier(at)),
        // It ended between the two statements. Now the row is locked, and nobody can set another.
        Some(None) if moved(connection, lease, step).await? => Ok(()),
        Some(None) => Err(AdvanceError::Fenced),
    }
}

async fn moved(connection: &mut PgConnection, lease: Lease, step: &Step) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE gnomon.subscriptions
         SET checkpoint = $4, events_per_second = $5, committed_at = clock_timestamp(),
             batches = batches + $6, batch_events = batch_events + $7, largest_batch = greatest(largest_batch, $8)
         WHERE subscription = $1 AND lease_epoch = $2 AND checkpoint = $3
           AND (barrier_at IS NULL OR barrier_at >= $4 OR barrier_until <= clock_timestamp())",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .bind(step.from)
    .bind(step.to)
    .bind(step.events_per_second)
    .bind(step.batches.count.cast_signed())
    .bind(step.batches.events.cast_signed())
    .bind(step.batches.largest.cast_signed())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(moved == 1)
}

/// Where the barrier is before the step's end, if there is one; nothing at all if the step cannot be made anyway.
async fn barrier_before(
    connection: &mut PgConnection,
    lease: Lease,
    step: &Step,
) -> Result<Option<Option<Position>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT CASE WHEN barrier_at < $4 AND barrier_until > clock_timestamp() THEN barrier_at END
         FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2 AND checkpoint = $3 FOR UPDATE",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .bind(step.from)
    .bind(step.to)
    .fetch_optional(connection)
    .await
}

/// Holds the lease's row for the rest of the transaction; answers whether the lease is held.
pub(crate) async fn hold(connection: &mut PgConnection, lease: Lease) -> Result<bool, sqlx::Error> {
    let held: Option<SubscriptionId> = sqlx::query_scalar(
        "SELECT subscription FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $2 FOR UPDATE",
    )
    .bind(lease.subscription)
    .bind(lease.epoch)
    .fetch_optional(connection)
    .await?;
    Ok(held.is_some())
}

/// The checkpoints of subscriptions, by number, which stand still until the transaction ends.
pub(crate) async fn stand_still(
    connection: &mut PgConnection,
    subscriptions: &[SubscriptionId],
) -> Result<Vec<Position>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT checkpoint FROM gnomon.subscriptions WHERE subscription = ANY($1) ORDER BY subscription FOR UPDATE",
    )
    .bind(subscriptions)
    .fetch_all(connection)
    .await
}

/// Forgets what a subscription has set aside and was to try again.
pub(crate) async fn clear(connection: &mut PgConnection, subscription: SubscriptionId) -> Result<(), sqlx::Error> {
    for statement in [
        "UPDATE gnomon.subscriptions SET retrying = NULL WHERE subscription = $1",
        "DELETE FROM gnomon.dead_letters WHERE subscription = $1",
    ] {
        sqlx::query(statement).bind(subscription).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Where a subscription stands, and the barrier that keeps it from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Progress {
    pub(crate) subscription: SubscriptionId,
    pub(crate) checkpoint: Position,
    pub(crate) barrier: Option<Position>,
}

/// Where subscriptions stand, which stand still until the transaction ends; none if somebody else holds one of them for long.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    subscriptions: &[SubscriptionId],
) -> Result<Option<Vec<Progress>>, sqlx::Error> {
    // Who holds one may wait for another to go on, as a swap does.
    connection.execute("SET LOCAL lock_timeout = '100ms'").await?;
    // All rows at once and in one order, as everyone locks them: no two can wait for each other.
    let sql = format!("{PROGRESS} ORDER BY subscription FOR UPDATE");
    match sqlx::query_as(&sql).bind(subscriptions).fetch_all(connection).await {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if is_lock_timeout(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where subscriptions stand.
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

/// Sets a barrier, over any that is there. The rows are locked by the caller.
pub(crate) async fn set_barriers(
    connection: &mut PgConnection,
    barrier: &Barrier,
    lapse: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.subscriptions SET barrier_at = $2, barrier_until = clock_timestamp() + $3
         WHERE subscription = ANY($1)",
    )
    .bind(&barrier.subscriptions)
    .bind(barrier.at)
    .bind(lapse)
    .execute(connection)
    .await?;
    Ok(())
}

/// The rows of a barrier that still stands, locked in the order in which everyone locks them.
const STANDING: &str = "WITH standing AS (
         SELECT subscription FROM gnomon.subscriptions WHERE subscription = ANY($1) AND barrier_at = $2
         ORDER BY subscription FOR UPDATE
     )
     UPDATE gnomon.subscriptions AS entry";

/// Lets a barrier stand for longer.
pub(crate) async fn prolong_barriers(pool: &PgPool, barrier: &Barrier, lapse: Duration) -> Result<(), sqlx::Error> {
    let sql = format!(
        "{STANDING} SET barrier_until = clock_timestamp() + $3 FROM standing WHERE entry.subscription = standing.subscription"
    );
    let statement = sqlx::query(&sql).bind(&barrier.subscriptions).bind(barrier.at).bind(lapse);
    statement.execute(pool).await.map(drop)
}

/// Lifts a barrier.
pub(crate) async fn lift_barriers(pool: &PgPool, barrier: &Barrier) -> Result<(), sqlx::Error> {
    let sql = format!(
        "{STANDING} SET barrier_at = NULL, barrier_until = NULL FROM standing WHERE entry.subscription = standing.subscription"
    );
    let statement = sqlx::query(&sql).bind(&barrier.subscriptions).bind(barrier.at);
    statement.execute(pool).await.map(drop)
}

/// Whether a subscription has a barrier at a position.
pub(crate) async fn barrier_stands(
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

/// The batches in which a subscription got its events.
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
