//! A step of the summary: some events behind it are added to it, in one transaction.

use std::time::Duration;

use sqlx::{Executor as _, PgConnection, PgPool};
use tracing::warn;
use uuid::Uuid;

use super::counted::counted;
use crate::{
    event_log::event::Position,
    postgres::{PgTimestamp, begin, sql_row, within},
};

/// The longest streams that are kept.
pub const KEPT_STREAMS: usize = 1000;

/// How long a step may take. Postgres ends its statements before.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::event_log) enum Step {
    /// Another host is making one.
    Busy,
    /// The summary is here, and so many events are behind it.
    Moved { to: Position, left: u64 },
    /// What was summarised is not the log that is there, since its database was restored; the summary is empty.
    Restarted,
}

/// The summary, locked for a step. Nothing waits for that lock: who finds it taken leaves the step to its holder.
///
/// What it writes may be lost with a crash of Postgres, all of it together, and is then made again: so its commit does not wait for the disk.
const LOCK: &str = "
    SELECT position, recorded_at, log_id, set_config('statement_timeout', '5s', true), set_config('synchronous_commit', 'off', true)
    FROM gnomon.log_summary FOR NO KEY UPDATE SKIP LOCKED";

struct Locked {
    position: Position,
    recorded_at: PgTimestamp,
    log_id: Option<Uuid>,
}

sql_row!(Locked { position, recorded_at, log_id });

/// The end of the log. It is read after the lock is held, so it is not before a summary that another host has just moved.
const HEAD: &str = "SELECT position, log_id, recorded_at FROM gnomon.head";

/// The stamp of the event where the summary is.
const STAMP: &str = "SELECT recorded_at FROM gnomon.events WHERE position = $1";

/// Adds the events between two positions, and moves the summary, unless the event where it was has another stamp than then: `$3`. An event
/// that is not there any more says nothing.
///
/// Each part sees the summary as it was before: so what is new is what it does not have.
const ADD: &str = concat!(
    "WITH step AS MATERIALIZED (",
    counted!(),
    "), parts AS (
         SELECT type, category, day, count(*) AS events, sum(bytes)::bigint AS bytes, count(*) FILTER (WHERE version = 1) AS streams
         FROM step GROUP BY type, category, day
     ), types AS (
         SELECT type AS name, sum(events)::bigint AS events, sum(bytes)::bigint AS bytes, sum(streams)::bigint AS streams
         FROM parts GROUP BY type
     ), categories AS (
         SELECT category AS name, sum(events)::bigint AS events, sum(bytes)::bigint AS bytes, sum(streams)::bigint AS streams
         FROM parts GROUP BY category
     ), days AS (
         SELECT day, sum(events)::bigint AS events, sum(bytes)::bigint AS bytes, sum(streams)::bigint AS streams
         FROM parts GROUP BY day
     ), shortest AS (
         SELECT version, stream FROM gnomon.log_summary_streams ORDER BY version DESC, stream OFFSET $5 - 1 LIMIT 1
     ), streams AS (
         SELECT stream, max(version) AS version, max(position) AS last_position
         FROM step WHERE version >= coalesce((SELECT version FROM shortest), 1)
         GROUP BY stream ORDER BY version DESC, stream LIMIT $5
     ), new_types AS (
         SELECT count(*) AS new FROM types WHERE NOT EXISTS (
             SELECT FROM gnomon.log_summary_types AS known WHERE known.name = types.name)
     ), new_categories AS (
         SELECT count(*) AS new FROM categories WHERE NOT EXISTS (
             SELECT FROM gnomon.log_summary_categories AS known WHERE known.name = categories.name)
     ), added_types AS (
         INSERT INTO gnomon.log_summary_types AS known (name, events, bytes, streams) SELECT * FROM types
         ON CONFLICT (name) DO UPDATE SET events = known.events + excluded.events, bytes = known.bytes + excluded.bytes,
             streams = known.streams + excluded.streams
     ), added_categories AS (
         INSERT INTO gnomon.log_summary_categories AS known (name, events, bytes, streams) SELECT * FROM categories
         ON CONFLICT (name) DO UPDATE SET events = known.events + excluded.events, bytes = known.bytes + excluded.bytes,
             streams = known.streams + excluded.streams
     ), added_days AS (
         INSERT INTO gnomon.log_summary_days AS known (day, events, bytes, streams) SELECT * FROM days
         ON CONFLICT (day) DO UPDATE SET events = known.events + excluded.events, bytes = known.bytes + excluded.bytes,
             streams = known.streams + excluded.streams
     ), added_streams AS (
         INSERT INTO gnomon.log_summary_streams AS known (stream, version, last_position) SELECT * FROM streams
         WHERE NOT EXISTS (
             SELECT FROM shortest
             WHERE streams.version < shortest.version OR streams.version = shortest.version AND streams.stream > shortest.stream)
         ON CONFLICT (stream) DO UPDATE SET version = excluded.version, last_position = excluded.last_position
     ), added AS (
         SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(bytes), 0)::bigint AS bytes,
             coalesce(sum(streams), 0)::bigint AS streams
         FROM parts
     )
     UPDATE gnomon.log_summary AS summary
     SET position = $2, log_id = $4,
         recorded_at = coalesce((SELECT recorded_at FROM gnomon.events WHERE position = $2), summary.recorded_at),
         events = summary.events + added.events, bytes = summary.bytes + added.bytes, streams = summary.streams + added.streams,
         types = summary.types + new_types.new, categories = summary.categories + new_categories.new
     FROM added, new_types, new_categories
     WHERE coalesce((SELECT recorded_at FROM gnomon.events WHERE position = $1), $3) = $3"
);

/// Leaves the longest streams.
const TRIM: &str = "
    DELETE FROM gnomon.log_summary_streams WHERE stream = ANY (ARRAY(
        SELECT stream FROM gnomon.log_summary_streams ORDER BY version DESC, stream OFFSET $1))";

/// Empties the summary. It waits until nobody reads it: a reader has these tables locked before it takes its snapshot.
const RESTART: &str = "
    TRUNCATE gnomon.log_summary_types, gnomon.log_summary_categories, gnomon.log_summary_days, gnomon.log_summary_streams;
    UPDATE gnomon.log_summary SET position = 0, recorded_at = '-infinity', log_id = NULL, events = 0, bytes = 0, streams = 0,
        types = 0, categories = 0";

/// Adds at most `most` events to the summary.
pub(in crate::event_log) async fn step(pool: &PgPool, most: u64) -> Result<Step, sqlx::Error> {
    within(STEP_TIMEOUT, "a step of the log's summary", try_step(pool, most)).await
}

async fn try_step(pool: &PgPool, most: u64) -> Result<Step, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    let Some(from): Option<Locked> = sqlx::query_as(LOCK).fetch_optional(&mut *transaction).await? else {
        return Ok(Step::Busy);
    };
    let (head, log_id, stamp): (Position, Uuid, PgTimestamp) =
        sqlx::query_as(HEAD).fetch_one(&mut *transaction).await?;
    let to = Position(head.0.min(from.position.0.saturating_add(most)));
    let is_same_log = if from.position > head || from.log_id.is_some_and(|known| known != log_id) {
        false
    } else if from.position < to {
        add(&mut transaction, &from, to, log_id).await?
    } else if from.recorded_at == stamp || is_stamped(&mut transaction, &from).await? {
        return Ok(Step::Moved { to, left: 0 });
    } else {
        false
    };
    if !is_same_log {
        // Also what the statement has just added.
        transaction.execute(RESTART).await?;
        transaction.commit().await?;
        warn!(
            summarised = %from.position, %head,
            "the summary of the log is of another log: its database was restored. It is made again"
        );
        return Ok(Step::Restarted);
    }
    transaction.commit().await?;
    Ok(Step::Moved { to, left: head.0 - to.0 })
}

/// Whether the event where the summary is has the stamp that it had then, or is not there any more.
async fn is_stamped(connection: &mut PgConnection, from: &Locked) -> Result<bool, sqlx::Error> {
    let stamp = sqlx::query_scalar(STAMP).bind(from.position).persistent(false).fetch_optional(connection).await?;
    Ok(stamp.is_none_or(|stamp: PgTimestamp| stamp == from.recorded_at))
}

/// Whether the log is still the one that was summarised; if not, what was written is wrong.
async fn add(connection: &mut PgConnection, from: &Locked, to: Position, log_id: Uuid) -> Result<bool, sqlx::Error> {
    let kept = i64::try_from(KEPT_STREAMS).unwrap_or(i64::MAX);
    let moved = sqlx::query(ADD)
        .bind(from.position)
        .bind(to)
        .bind(from.recorded_at)
        .bind(log_id)
        .bind(kept)
        .persistent(false)
        .execute(&mut *connection)
        .await?;
    sqlx::query(TRIM).bind(kept).execute(connection).await?;
    Ok(moved.rows_affected() == 1)
}
