//! What dashboards and alerts see of the log.

use sqlx::{Executor as _, PgConnection, PgPool, Postgres, Transaction};

use super::{EventLog, event::Position};
use crate::postgres::begin;

/// The head of the log, and what the clock of Postgres says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadReading {
    /// The position of the newest event.
    pub position: Position,
    /// How many seconds ago it was appended; `None` if there is none. Below 0 if the clock went back.
    pub age: Option<f64>,
    /// The time of Postgres, in seconds since 1970.
    pub now: f64,
    /// Positions from the end of the summary, of which statistics are made, to the head.
    pub summary_lag: u64,
}

impl EventLog {
    /// The head of the log.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn head_reading(&self) -> Result<HeadReading, sqlx::Error> {
        // After a restore, the summary may be ahead for a moment.
        let (position, age, now, summary_lag): (_, _, _, i64) = sqlx::query_as(
            "SELECT head.position, CASE WHEN head.position > 0 THEN extract(epoch FROM clock_timestamp() - head.recorded_at)::float8 END,
                    extract(epoch FROM clock_timestamp())::float8, greatest(head.position - summary.position, 0)
             FROM gnomon.head, gnomon.log_summary AS summary",
        )
        .fetch_one(&self.shared.pool)
        .await?;
        Ok(HeadReading { position, age, now, summary_lag: summary_lag.cast_unsigned() })
    }

    /// The bytes of the log in Postgres, with its indexes. It looks at each file of each partition.
    ///
    /// # Errors
    /// Postgres fails, or somebody holds a lock on a table.
    pub async fn bytes(&self) -> Result<u64, sqlx::Error> {
        bytes(&self.shared.pool).await
    }

    /// How many events were appended lately. It looks at some of them, one after the other.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn growth(&self) -> Result<Growth, sqlx::Error> {
        let head = self.read_head().await?;
        let mut connection = self.shared.pool.acquire().await?;
        let in_a_week = appended_within(&mut connection, WEEK, Position(0), head).await?;
        let in_a_day = appended_within(&mut connection, DAY, Position(head.0 - in_a_week), head).await?;
        let in_an_hour = appended_within(&mut connection, HOUR, Position(head.0 - in_a_day), head).await?;
        Ok(Growth { in_an_hour, in_a_day, in_a_week })
    }

    /// How many appends and imports wait until a group takes them.
    #[must_use]
    pub fn waiting_appends(&self) -> usize {
        self.shared.appender.waiting()
    }
}

/// Seconds.
const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// How many events were appended lately, by the clock of Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Within the last hour.
    pub in_an_hour: u64,
    /// Within the last 24 hours.
    pub in_a_day: u64,
    /// Within the last seven days.
    pub in_a_week: u64,
}

/// How large the log is, and how fast it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSize {
    /// The position of the newest event, which is also how many there are.
    pub head: Position,
    /// Its bytes in Postgres, with its indexes.
    pub bytes: u64,
    /// How many events were appended within the last day by the clock of Postgres.
    pub appended_in_a_day: u64,
}

/// Measures the log of a database whose schema is up to date.
///
/// # Errors
/// Postgres fails, or somebody holds a lock on a table.
pub async fn measure(pool: &PgPool) -> Result<LogSize, sqlx::Error> {
    let bytes = bytes(pool).await?;
    let head = super::head(pool).await?;
    let appended_in_a_day = appended_in_a_day(&mut *pool.acquire().await?, head).await?;
    Ok(LogSize { head, bytes, appended_in_a_day })
}

/// How many events were appended since so many seconds, if all up to `older` were appended before.
async fn appended_within(
    connection: &mut PgConnection,
    seconds: u32,
    mut older: Position,
    head: Position,
) -> Result<u64, sqlx::Error> {
    // No event has an earlier stamp than the one before it, so the first one of the time is found by halving, with a look at one event
    // each time, however long the log is.
    let mut newer = head.next();
    while newer.0 - older.0 > 1 {
        let middle = Position(u64::midpoint(older.0, newer.0));
        let statement =
            "SELECT recorded_at < clock_timestamp() - make_interval(secs => $2) FROM gnomon.events WHERE position = $1";
        // It is not kept: for the sixth time, Postgres would make a plan for any position, and so open and lock each partition of the log.
        let looked = sqlx::query_scalar(statement).bind(middle).bind(f64::from(seconds)).persistent(false);
        let is_older: bool = looked.fetch_one(&mut *connection).await?;
        *if is_older { &mut older } else { &mut newer } = middle;
    }
    Ok(head.0 - older.0)
}

pub(super) async fn appended_in_a_day(connection: &mut PgConnection, head: Position) -> Result<u64, sqlx::Error> {
    appended_within(connection, DAY, Position(0), head).await
}

async fn bytes(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let mut transaction = begin_bounded(pool).await?;
    let bytes: i64 = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(relid))::bigint
         FROM (SELECT relid FROM pg_partition_tree('gnomon.events')
               UNION ALL VALUES ('gnomon.streams'::regclass), ('gnomon.event_tags'), ('gnomon.event_types'),
                   ('gnomon.event_blocks')) AS tables",
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Begins a transaction whose statements Postgres ends by itself when they last too long.
async fn begin_bounded(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    transaction.execute("SET LOCAL statement_timeout = '5s'").await?;
    transaction.execute("SET LOCAL lock_timeout = '1s'").await?;
    Ok(transaction)
}
