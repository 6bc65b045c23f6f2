//! The builds as dashboards and alerts see them.

use std::collections::HashMap;

use sqlx::{Executor as _, PgConnection, PgPool};

use super::{
    build::BuildId,
    columns::StateColumns,
    number::BuildNumber,
    state::{BuildState, Role},
};
use crate::{
    event_log::{Position, ages},
    modules::ModuleVersion,
    postgres::{begin, sql_row},
    read_model::Identifier,
};

/// A build that is not retired, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildReading {
    /// The projection.
    pub projection: Identifier,
    /// Its number among the projection's builds, or among its verifications.
    pub number: BuildNumber,
    /// Whether it verifies another one.
    pub is_verification: bool,
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// The one word for its state.
    pub state: BuildState,
    /// What it is to queries, whatever its state is.
    pub role: Role,
    /// Whether a host is to work on it.
    pub is_running: bool,
    /// Whether a host holds its lease.
    pub is_leased: bool,
    /// Whether it waits for a lock that somebody else holds.
    pub is_blocked: bool,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
    /// Positions from there to the head.
    pub lag: u64,
    /// How long ago the oldest event was appended that it has not handled; 0 if there is none.
    pub lag_seconds: f64,
    /// Events that it has set aside.
    pub dead_letters: u64,
}

struct Row {
    projection: Identifier,
    number: BuildNumber,
    is_verification: bool,
    version: ModuleVersion,
    state: StateColumns,
    is_leased: bool,
    is_blocked: bool,
    checkpoint: Position,
    head: Position,
    dead_letters: i64,
}

sql_row!(Row {
    projection,
    number,
    is_verification,
    version,
    is_leased,
    is_blocked,
    checkpoint,
    head,
    dead_letters,
    ..state
});

/// Builds that are not retired, at most so many, in one snapshot.
pub(crate) async fn readings(pool: &PgPool, limit: usize) -> Result<Vec<BuildReading>, sqlx::Error> {
    readings_on(&mut *pool.acquire().await?, limit).await
}

pub(super) async fn readings_on(connection: &mut PgConnection, limit: usize) -> Result<Vec<BuildReading>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT build.projection, build.number, build.verifies IS NOT NULL AS is_verification, build.version,
                build.stage, build.work, build.role, build.activation, checkpoint, head.position AS head,
                coalesce(lease_holder IS NOT NULL AND leased_until > clock_timestamp(), false) AS is_leased,
                build.waits_for IS NOT NULL AS is_blocked,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = build.build) AS dead_letters
         FROM gnomon.builds AS build
         JOIN gnomon.subscriptions ON subscription = build.build
         CROSS JOIN gnomon.head
         WHERE build.stage IS NOT NULL AND build.stop_at IS NULL
         ORDER BY build.projection, build.build LIMIT $1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    // Events are never changed, so those of positions that the snapshot had are read after it.
    let ages = ages(connection, rows.iter().filter_map(Row::oldest_unhandled).collect()).await?;
    rows.into_iter().map(|row| row.reading(&ages)).collect()
}

impl Row {
    /// Positions have no gaps, so the event behind the checkpoint is the oldest that is not handled.
    fn oldest_unhandled(&self) -> Option<Position> {
        (self.checkpoint < self.head).then(|| self.checkpoint.next())
    }

    fn reading(self, ages: &HashMap<Position, f64>) -> Result<BuildReading, sqlx::Error> {
        let age = self.oldest_unhandled().and_then(|position| ages.get(&position));
        let state = self.state.state()?;
        let kept = state.kept().ok_or_else(|| sqlx::Error::Decode("a build that is read is retired".into()))?;
        Ok(BuildReading {
            role: kept.role,
            is_running: state.is_running(),
            state: state.into(),
            // The clock of Postgres may have gone back.
            lag_seconds: age.copied().unwrap_or_default().max(0.0),
            projection: self.projection,
            number: self.number,
            is_verification: self.is_verification,
            version: self.version,
            is_leased: self.is_leased,
            is_blocked: self.is_blocked,
            checkpoint: self.checkpoint,
            lag: self.head.0.saturating_sub(self.checkpoint.0),
            dead_letters: u64::try_from(self.dead_letters).unwrap_or_default(),
        })
    }
}

/// A build that is not retired, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSize {
    /// The projection.
    pub projection: Identifier,
    /// Its number among the projection's builds, or among its verifications.
    pub number: BuildNumber,
    /// Whether it verifies another one.
    pub is_verification: bool,
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// The one word for its state.
    pub state: BuildState,
    /// The bytes of its tables, with their indexes.
    pub bytes: u64,
}

struct SizeRow {
    projection: Identifier,
    number: BuildNumber,
    is_verification: bool,
    version: ModuleVersion,
    state: StateColumns,
    bytes: i64,
}

sql_row!(SizeRow { projection, number, is_verification, version, bytes, ..state });

/// What builds take that are not retired, at most so many. It looks at each file of each of their tables, and ends by itself when that lasts.
pub(crate) async fn sizes(pool: &PgPool, limit: usize) -> Result<Vec<BuildSize>, sqlx::Error> {
    let mut transaction = begin(pool).await?;
    transaction.execute("SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s'").await?;
    // The tables of all builds are found in one pass over the catalog, which has no index by schema.
    let rows: Vec<SizeRow> = sqlx::query_as(
        "WITH schemas AS MATERIALIZED (
             SELECT nspname, coalesce(sum(pg_total_relation_size(relation.oid)), 0)::bigint AS bytes
             FROM pg_class AS relation JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE relkind = 'r' AND nspname LIKE 'build\\_%' GROUP BY nspname
         )
         SELECT build.projection, build.number, build.verifies IS NOT NULL AS is_verification, build.version,
                build.stage, build.work, build.role, build.activation, coalesce(bytes, 0) AS bytes
         FROM gnomon.builds AS build LEFT JOIN schemas ON nspname = 'build_' || build.build
         WHERE build.stage IS NOT NULL AND build.stop_at IS NULL
         ORDER BY build.projection, build.build LIMIT $1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    rows.into_iter().map(SizeRow::size).collect()
}

impl SizeRow {
    fn size(self) -> Result<BuildSize, sqlx::Error> {
        Ok(BuildSize {
            state: self.state.state()?.into(),
            projection: self.projection,
            number: self.number,
            is_verification: self.is_verification,
            version: self.version,
            bytes: u64::try_from(self.bytes).unwrap_or_default(),
        })
    }
}

/// How many seconds ago a build was begun.
pub(crate) async fn age(connection: &mut PgConnection, build: BuildId) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM gnomon.builds WHERE build = $1",
    )
    .bind(build)
    .fetch_one(connection)
    .await
}
