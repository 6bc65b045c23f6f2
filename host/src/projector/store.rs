//! Projections and builds as Postgres keeps them.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, types::Json};

use super::{
    build::{BuildError, BuildId, Phase, Status},
    commit::{Batches, RetryProgress},
    deploy::Activate,
    history::{self, Change},
    operation::Found,
    policy::OnFailure,
    retry::Redelivery,
    upcasters::PinnedUpcaster,
};
use crate::{event_log::Position, modules::ModuleVersion, read_model::Identifier, runtime::Descriptor};

/// A build that some host should work on.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) build: BuildId,
    pub(super) projection: Identifier,
    pub(super) version: ModuleVersion,
    pub(super) phase: Phase,
    pub(super) activate_when_live: bool,
    /// What happens at an event that its module cannot handle.
    pub(super) on_failure: OnFailure,
    /// Which of its dead letters are to be tried again, if any are, and up to where they have been.
    pub(super) retrying: Option<(Redelivery, Position)>,
    /// If it was made to verify another build: events that its module gets at once, each time with fresh memory.
    pub(super) verify_batch: Option<usize>,
    /// What its events go through before.
    pub(super) upcasters: Vec<PinnedUpcaster>,
}

/// A build that is to be begun.
#[derive(Clone, Debug)]
pub(super) struct NewBuild {
    version: ModuleVersion,
    activate_when_live: bool,
    upcasters: Vec<PinnedUpcaster>,
    /// For a build that is made to verify another one: which one, and events that its module gets at once.
    verifies: Option<(BuildId, usize)>,
}

impl NewBuild {
    /// A build for queries.
    pub(super) fn of(version: ModuleVersion, activate: Activate, upcasters: Vec<PinnedUpcaster>) -> Self {
        Self { version, activate_when_live: activate == Activate::Auto, upcasters, verifies: None }
    }

    /// A build that is made to verify another one, with so many events at once.
    pub(super) fn to_verify(found: &Found, batch_events: usize) -> Self {
        let upcasters = found.upcasters.clone();
        let verifies = Some((found.build, batch_events));
        Self { version: found.version, activate_when_live: false, upcasters, verifies }
    }
}

impl Phase {
    pub(super) fn from_sql(text: &str) -> Self {
        if text == "live" { Self::Live } else { Self::Replaying }
    }
}

impl Status {
    pub(super) fn as_sql(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::Failed => "failed",
            Self::Retired => "retired",
        }
    }

    pub(super) fn from_sql(text: &str) -> Self {
        match text {
            "paused" => Self::Paused,
            "halted" => Self::Halted,
            "failed" => Self::Failed,
            "retired" => Self::Retired,
            _ => Self::Running,
        }
    }
}

pub(super) fn identifier(name: String) -> Result<Identifier, sqlx::Error> {
    Identifier::new(name).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The builds that are to be worked on.
pub(super) async fn running(pool: &PgPool) -> Result<Vec<BuildId>, sqlx::Error> {
    let builds: Vec<i64> =
        sqlx::query_scalar("SELECT build FROM gnomon.builds WHERE status = 'running' ORDER BY build")
            .fetch_all(pool)
            .await?;
    Ok(builds.into_iter().map(BuildId).collect())
}

/// What is to be done with a build; none if nothing is any more. To be asked by whoever holds its lease: what an operator
/// changes afterwards takes the lease away.
pub(super) async fn job(pool: &PgPool, build: BuildId) -> Result<Option<Job>, sqlx::Error> {
    let row: Option<JobRow> = sqlx::query_as(
        "SELECT projection, version, phase, activate_when_live, on_failure, retrying, retried_to, verify_batch, upcasters
         FROM gnomon.builds JOIN gnomon.projections ON name = projection
         WHERE build = $1 AND status = 'running'",
    )
    .bind(build.0)
    .fetch_optional(pool)
    .await?;
    row.map(|row| row.job(build)).transpose()
}

#[derive(sqlx::FromRow)]
struct JobRow {
    projection: String,
    version: i32,
    phase: String,
    activate_when_live: bool,
    on_failure: String,
    retrying: Option<String>,
    retried_to: i64,
    verify_batch: Option<i32>,
    upcasters: Json<Vec<PinnedUpcaster>>,
}

impl JobRow {
    fn job(self, build: BuildId) -> Result<Job, sqlx::Error> {
        Ok(Job {
            build,
            projection: identifier(self.projection)?,
            version: ModuleVersion::from_sql(self.version),
            phase: Phase::from_sql(&self.phase),
            activate_when_live: self.activate_when_live,
            on_failure: OnFailure::from_sql(&self.on_failure),
            retrying: match self.retrying.as_deref().map(Redelivery::from_sql).transpose()? {
                Some(redelivery) => Some((redelivery, Position::from_sql(self.retried_to))),
                None => None,
            },
            verify_batch: self.verify_batch.and_then(|events| usize::try_from(events).ok()),
            upcasters: self.upcasters.0,
        })
    }
}

/// A projection's builds, newest first.
pub(super) async fn builds_of(
    connection: &mut PgConnection,
    projection: &Identifier,
) -> Result<Vec<Found>, sqlx::Error> {
    let rows: Vec<FoundRow> = sqlx::query_as(
        "SELECT build, version, phase, status, activate_when_live, verifies,
                activated_at IS NOT NULL AS was_active, active_build IS NOT DISTINCT FROM build AS is_active, upcasters
         FROM gnomon.builds JOIN gnomon.projections ON name = projection
         WHERE projection = $1 ORDER BY build DESC",
    )
    .bind(projection.as_str())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Found::from).collect())
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    build: i64,
    version: i32,
    phase: String,
    status: String,
    activate_when_live: bool,
    verifies: Option<i64>,
    was_active: bool,
    is_active: bool,
    upcasters: Json<Vec<PinnedUpcaster>>,
}

impl From<FoundRow> for Found {
    fn from(row: FoundRow) -> Self {
        Self {
            build: BuildId(row.build),
            version: ModuleVersion::from_sql(row.version),
            phase: Phase::from_sql(&row.phase),
            status: Status::from_sql(&row.status),
            activate_when_live: row.activate_when_live,
            verifies: row.verifies.map(BuildId),
            was_active: row.was_active,
            is_active: row.is_active,
            upcasters: row.upcasters.0,
        }
    }
}

/// Builds whose time is over: replaced longer ago than `keep`, or made to verify another one longer ago than that. Says of
/// each whether it was made for queries.
pub(super) async fn outdated(pool: &PgPool, keep: Duration) -> Result<Vec<(Identifier, BuildId, bool)>, sqlx::Error> {
    let rows: Vec<(String, i64, bool)> = sqlx::query_as(
        "SELECT projection, build, verifies IS NULL FROM gnomon.builds JOIN gnomon.projections ON name = projection
         WHERE status <> 'retired' AND active_build IS DISTINCT FROM build
           AND CASE WHEN verifies IS NULL THEN replaced_at ELSE created_at END < clock_timestamp() - $1",
    )
    .bind(keep)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(name, build, queries)| Ok((identifier(name)?, BuildId(build), queries))).collect()
}

/// What the version of the active build says of itself; none if there is no active build.
pub(super) async fn active_descriptor(
    connection: &mut PgConnection,
    projection: &Identifier,
) -> Result<Option<Descriptor>, sqlx::Error> {
    let descriptor: Option<Json<Descriptor>> = sqlx::query_scalar(
        "SELECT descriptor FROM gnomon.projections AS projection
         JOIN gnomon.builds AS build ON build.build = active_build
         JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
         WHERE name = $1",
    )
    .bind(projection.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(descriptor.map(|descriptor| descriptor.0))
}

/// Tells every host, when the transaction commits, that there may be something to do with builds.
pub(super) async fn notify(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify('gnomon_builds', '')").execute(connection).await?;
    Ok(())
}

/// Enters a build; its tables are the caller's to make.
pub(super) async fn insert_build(
    connection: &mut PgConnection,
    projection: &Identifier,
    new: &NewBuild,
) -> Result<BuildId, sqlx::Error> {
    let build: i64 = sqlx::query_scalar(
        "WITH build AS (
             INSERT INTO gnomon.builds (projection, version, activate_when_live, upcasters, verifies, verify_batch)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING build
         ), progress AS (
             INSERT INTO gnomon.build_progress (build) SELECT build FROM build
         )
         SELECT build FROM build",
    )
    .bind(projection.as_str())
    .bind(new.version.to_sql())
    .bind(new.activate_when_live)
    .bind(Json(&new.upcasters))
    .bind(new.verifies.map(|(build, _)| build.0))
    .bind(new.verifies.map(|(_, events)| i32::try_from(events).unwrap_or(i32::MAX)))
    .fetch_one(connection)
    .await?;
    Ok(BuildId(build))
}

/// Notes why a build stopped.
pub(super) async fn stop_build(
    connection: &mut PgConnection,
    job: &Job,
    status: Status,
    error: &BuildError,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.builds SET status = $2, error = $3 WHERE build = $1")
        .bind(job.build.0)
        .bind(status.as_sql())
        .bind(Json(error))
        .execute(&mut *connection)
        .await?;
    let change = if status == Status::Halted { Change::Halted } else { Change::Failed };
    history::note(connection, &job.projection, Some(job.build), change, &error.to_string()).await?;
    notify(connection).await
}

/// Notes that a build has caught up and has its indexes.
pub(super) async fn set_live(
    connection: &mut PgConnection,
    projection: &Identifier,
    build: BuildId,
    at: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.builds SET phase = 'live' WHERE build = $1")
        .bind(build.0)
        .execute(&mut *connection)
        .await?;
    let cause = format!("it holds every event up to position {at}");
    history::note(connection, projection, Some(build), Change::CaughtUp, &cause).await
}

/// How many dead letters of a build were folded behind later events.
pub(super) async fn out_of_order(connection: &mut PgConnection, build: BuildId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT out_of_order FROM gnomon.builds WHERE build = $1")
        .bind(build.0)
        .fetch_one(connection)
        .await
}

/// The batches in which a build got its events.
pub(super) async fn batches(connection: &mut PgConnection, build: BuildId) -> Result<Batches, sqlx::Error> {
    let (count, events, largest): (i64, i64, i64) =
        sqlx::query_as("SELECT batches, batch_events, largest_batch FROM gnomon.build_progress WHERE build = $1")
            .bind(build.0)
            .fetch_one(connection)
            .await?;
    let [count, events, largest] = [count, events, largest].map(i64::cast_unsigned);
    Ok(Batches { count, events, largest })
}

/// Notes how far dead letters have been tried again, in the transaction of what came of them: whoever goes on after a crash
/// tries none of them twice.
pub(super) async fn set_retry_progress(
    connection: &mut PgConnection,
    build: BuildId,
    progress: &RetryProgress,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.builds
         SET retried_to = $2, out_of_order = out_of_order + $3, retrying = CASE WHEN $4 THEN NULL ELSE retrying END
         WHERE build = $1",
    )
    .bind(build.0)
    .bind(progress.to.to_sql())
    .bind(progress.out_of_order.cast_signed())
    .bind(progress.done)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes why a build that works could not become the active one; it does not try again by itself.
pub(super) async fn set_not_activated(pool: &PgPool, job: &Job, error: &BuildError) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query("UPDATE gnomon.builds SET activate_when_live = false, error = $2 WHERE build = $1")
        .bind(job.build.0)
        .bind(Json(error))
        .execute(&mut *transaction)
        .await?;
    let cause = error.to_string();
    history::note(&mut transaction, &job.projection, Some(job.build), Change::NotActivated, &cause).await?;
    transaction.commit().await
}
