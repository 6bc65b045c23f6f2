//! The builds as dashboards and alerts see them.

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
    lag_seconds: Option<f64>,
    dead_letters: i64,
}

/// Builds that are not retired, at most so many, in one snapshot.
pub(crate) async fn readings(pool: &PgPool, limit: usize) -> Result<Vec<BuildReading>, sqlx::Error> {
    // Positions have no gaps, so the event behind the checkpoint is the oldest that is not handled.
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT build.projection, build.number, build.verifies IS NOT NULL AS is_verification, build.version,
                build.stage, build.work, build.role, build.activation, checkpoint, head.position AS head,
                coalesce(lease_holder IS NOT NULL AND leased_until > clock_timestamp(), false) AS is_leased,
                build.waits_for IS NOT NULL AS is_blocked,
                CASE WHEN checkpoint < head.position THEN (
                    SELECT extract(epoch FROM clock_timestamp() - event.recorded_at)::float8
                    FROM gnomon.events AS event WHERE event.position = checkpoint + 1
                ) END AS lag_seconds,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = build.build) AS dead_letters
         FROM gnomon.builds AS build
         JOIN gnomon.subscriptions ON subscription = build.build
         CROSS JOIN gnomon.head
         WHERE build.stage IS NOT NULL
         ORDER BY build.projection, build.build LIMIT $1",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::reading).collect()
}

impl Row {
    fn reading(self) -> Result<BuildReading, sqlx::Error> {
        let state = self.state.state()?;
        Ok(BuildReading {
            is_read: state.is_active(),
            is_running: state.is_running(),
            state: state.into(),
            projection: self.projection,
            number: self.number,
            is_verification: self.is_verification,
            version: self.version,
            is_leased: self.is_leased,
            is_blocked: self.is_blocked,
            checkpoint: self.checkpoint,
            lag: self.head.0.saturating_sub(self.checkpoint.0),
            // The clock of Postgres may have gone back.
            lag_seconds: self.lag_seconds.unwrap_or_default().max(0.0),
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
