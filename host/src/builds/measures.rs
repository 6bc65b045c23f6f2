//! The builds as dashboards and alerts see them.

use std::collections::{BTreeSet, HashMap};

use sqlx::{PgConnection, PgPool};

use super::{build::BuildId, columns::StateColumns, number::BuildNumber, state::BuildState};
use crate::{event_log::Position, modules::ModuleVersion, read_model::Identifier};

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
    /// Whether queries read it, whatever its state is.
    pub is_read: bool,
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

#[derive(sqlx::FromRow)]
struct Row {
    projection: Identifier,
    number: BuildNumber,
    is_verification: bool,
    version: ModuleVersion,
    #[sqlx(flatten)]
    state: StateColumns,
    is_leased: bool,
    is_blocked: bool,
    checkpoint: Position,
    head: Position,
    dead_letters: i64,
}

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
         WHERE build.stage IS NOT NULL
         ORDER BY build.projection, build.build LIMIT $1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    // Events are never changed, so those of positions that the snapshot had are read after it.
    let ages = ages(connection, rows.iter().filter_map(Row::oldest_unhandled).collect()).await?;
    rows.into_iter().map(|row| row.reading(&ages)).collect()
}

/// How many seconds ago the events at some positions were appended.
///
/// The positions are known when Postgres plans the statement, so it opens the partitions that have them, and no other. In one statement with
/// the builds it would open, lock and plan for each partition of the log: with 1,000 of them that is 100 ms and 4,000 locks, of which a server
/// has 6,400 by default. Hence it is not kept as a prepared statement either: for the sixth time, Postgres would make a plan for any positions.
async fn ages(
    connection: &mut PgConnection,
    positions: BTreeSet<Position>,
) -> Result<HashMap<Position, f64>, sqlx::Error> {
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let ages: Vec<(Position, f64)> = sqlx::query_as(
        "SELECT position, extract(epoch FROM clock_timestamp() - recorded_at)::float8 FROM gnomon.events WHERE position = ANY ($1)",
    )
    .bind(Vec::from_iter(positions))
    .persistent(false)
    .fetch_all(connection)
    .await?;
    Ok(ages.into_iter().collect())
}

impl Row {
    /// Positions have no gaps, so the event behind the checkpoint is the oldest that is not handled.
    fn oldest_unhandled(&self) -> Option<Position> {
        (self.checkpoint < self.head).then(|| self.checkpoint.next())
    }

    fn reading(self, ages: &HashMap<Position, f64>) -> Result<BuildReading, sqlx::Error> {
        let age = self.oldest_unhandled().and_then(|position| ages.get(&position));
        let state = self.state.state()?;
        Ok(BuildReading {
            is_read: state.is_active(),
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

/// How many seconds ago a build was begun.
pub(crate) async fn age(connection: &mut PgConnection, build: BuildId) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM gnomon.builds WHERE build = $1",
    )
    .bind(build)
    .fetch_one(connection)
    .await
}
