//! What dashboards and alerts see of the log.

use sqlx::{Executor as _, PgPool, Postgres, Transaction};

use super::{
    EventLog,
    event::Position,
    streams::{self, StreamSummary},
};
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
}

impl EventLog {
    /// The head of the log.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn head_reading(&self) -> Result<HeadReading, sqlx::Error> {
        let (position, age, now) = sqlx::query_as(
            "SELECT position, CASE WHEN position > 0 THEN extract(epoch FROM clock_timestamp() - recorded_at)::float8 END,
                    extract(epoch FROM clock_timestamp())::float8
             FROM gnomon.head",
        )
        .fetch_one(&self.shared.pool)
        .await?;
        Ok(HeadReading { position, age, now })
    }

    /// The bytes of the log in Postgres, with its indexes. It looks at each file of each partition.
    ///
    /// # Errors
    /// Postgres fails, or somebody holds a lock on a table.
    pub async fn bytes(&self) -> Result<u64, sqlx::Error> {
        bytes(&self.shared.pool).await
    }

    /// The streams with the most events, longest first. It reads all streams.
    ///
    /// # Errors
    /// Postgres fails, or there are more streams than it reads in time.
    pub async fn longest_streams(&self, limit: usize) -> Result<Vec<StreamSummary>, sqlx::Error> {
        let mut transaction = begin_bounded(&self.shared.pool).await?;
        let streams = streams::longest(&mut transaction, limit).await?;
        transaction.commit().await?;
        Ok(streams)
    }

    /// How many appends and imports wait until a group takes them.
    #[must_use]
    pub fn waiting_appends(&self) -> usize {
        self.shared.appender.waiting()
    }
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
    // No event has an earlier stamp than the one before it, so the first one of the last day is found by halving, with a look at one event
    // each time, however long the log is.
    let (mut older, mut newer) = (Position(0), head.next());
    while newer.0 - older.0 > 1 {
        let middle = Position(u64::midpoint(older.0, newer.0));
        let statement =
            "SELECT recorded_at < clock_timestamp() - interval '1 day' FROM gnomon.events WHERE position = $1";
        let is_older: bool = sqlx::query_scalar(statement).bind(middle).fetch_one(pool).await?;
        *if is_older { &mut older } else { &mut newer } = middle;
    }
    Ok(LogSize { head, bytes, appended_in_a_day: head.0 - older.0 })
}

async fn bytes(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let mut transaction = begin_bounded(pool).await?;
    let bytes: i64 = sqlx::query_scalar(
        "SELECT sum(pg_total_relation_size(relid))::bigint
         FROM (SELECT relid FROM pg_partition_tree('gnomon.events')
               UNION ALL VALUES ('gnomon.streams'::regclass), ('gnomon.event_tags'), ('gnomon.event_types')) AS tables",
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
