//! Projections and builds as Postgres keeps them.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool, types::Json};

use super::{
    ProjectionSummary,
    build::{BuildError, BuildId, BuildState, BuildSummary, Phase, Status},
};
use crate::{
    event_log::Position, modules::ModuleVersion, postgres::PgTimestamp, read_model::Identifier, runtime::Descriptor,
};

/// A build that some host should work on.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) build: BuildId,
    pub(super) projection: Identifier,
    pub(super) version: ModuleVersion,
    pub(super) phase: Phase,
    pub(super) activate_when_live: bool,
}

impl Phase {
    pub(super) fn from_sql(text: &str) -> Self {
        if text == "live" { Self::Live } else { Self::Replaying }
    }
}

impl Status {
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

fn identifier(name: String) -> Result<Identifier, sqlx::Error> {
    Identifier::new(name).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// The builds that are to be worked on.
pub(super) async fn jobs(pool: &PgPool) -> Result<Vec<Job>, sqlx::Error> {
    let rows: Vec<(i64, String, i32, String, bool)> = sqlx::query_as(
        "SELECT build, projection, version, phase, activate_when_live FROM gnomon.builds
         WHERE status = 'running' ORDER BY build",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(build, projection, version, phase, activate_when_live)| {
            Ok(Job {
                build: BuildId(build),
                projection: identifier(projection)?,
                version: ModuleVersion::from_sql(version),
                phase: Phase::from_sql(&phase),
                activate_when_live,
            })
        })
        .collect()
}

/// Enters a build; its tables are the caller's to make.
pub(super) async fn insert_build(
    connection: &mut PgConnection,
    projection: &Identifier,
    version: ModuleVersion,
    activate_when_live: bool,
) -> Result<BuildId, sqlx::Error> {
    let build: i64 = sqlx::query_scalar(
        "WITH build AS (
             INSERT INTO gnomon.builds (projection, version, activate_when_live) VALUES ($1, $2, $3) RETURNING build
         ), progress AS (
             INSERT INTO gnomon.build_progress (build) SELECT build FROM build
         )
         SELECT build FROM build",
    )
    .bind(projection.as_str())
    .bind(version.to_sql())
    .bind(activate_when_live)
    .fetch_one(connection)
    .await?;
    Ok(BuildId(build))
}

/// Notes why a build stopped.
pub(super) async fn stop_build(
    connection: &mut PgConnection,
    build: BuildId,
    status: Status,
    error: &BuildError,
) -> Result<(), sqlx::Error> {
    let status = if status == Status::Halted { "halted" } else { "failed" };
    sqlx::query(
        "WITH stopped AS (UPDATE gnomon.builds SET status = $2, error = $3 WHERE build = $1)
         SELECT pg_notify('gnomon_builds', '')",
    )
    .bind(build.0)
    .bind(status)
    .bind(Json(error))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a build has caught up and has its indexes.
pub(super) async fn set_live(connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.builds SET phase = 'live' WHERE build = $1").bind(build.0).execute(connection).await?;
    Ok(())
}

/// Notes why a build that works could not become the active one; it does not try again by itself.
pub(super) async fn set_not_activated(pool: &PgPool, build: BuildId, error: &BuildError) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.builds SET activate_when_live = false, error = $2 WHERE build = $1")
        .bind(build.0)
        .bind(Json(error))
        .execute(pool)
        .await?;
    Ok(())
}

type BuildRow = (
    String,
    Option<i64>,
    i64,
    i32,
    String,
    String,
    i64,
    f64,
    Option<Json<BuildError>>,
    PgTimestamp,
    Json<Descriptor>,
    i64,
);

/// Projections with their builds, of one name if one is given.
pub(super) async fn summaries(pool: &PgPool, name: Option<&Identifier>) -> Result<Vec<ProjectionSummary>, sqlx::Error> {
    // One statement, so that head and checkpoints are of one moment.
    let rows: Vec<BuildRow> = sqlx::query_as(
        "SELECT projection.name, projection.active_build, build, build.version, phase, status, checkpoint,
                events_per_second, error, build.created_at, descriptor, head.position
         FROM gnomon.projections AS projection
         JOIN gnomon.builds AS build ON build.projection = projection.name
         JOIN gnomon.build_progress USING (build)
         JOIN gnomon.module_versions AS module ON module.module = projection.name AND module.version = build.version
         CROSS JOIN gnomon.head
         WHERE $1::text IS NULL OR projection.name = $1
         ORDER BY projection.name, build DESC",
    )
    .bind(name.map(Identifier::as_str))
    .fetch_all(pool)
    .await?;

    let mut projections: Vec<ProjectionSummary> = Vec::new();
    let mut tables: HashMap<BuildId, Vec<String>> = HashMap::new();
    for (name, active, build, version, phase, status, checkpoint, rate, error, created_at, descriptor, head) in rows {
        let build = BuildId(build);
        let active = active.map(BuildId);
        let is_active = active == Some(build);
        let (head, checkpoint) = (Position::from_sql(head), Position::from_sql(checkpoint));
        let summary = BuildSummary {
            build,
            version: ModuleVersion::from_sql(version),
            state: BuildState::of(Phase::from_sql(&phase), Status::from_sql(&status), is_active),
            checkpoint,
            head,
            lag: head.0.saturating_sub(checkpoint.0),
            events_per_second: rate,
            error: error.map(|error| error.0),
            created_at: created_at.to_jiff()?,
        };
        if let Descriptor::Projection(descriptor) = descriptor.0 {
            tables.insert(build, descriptor.tables.into_iter().map(|table| table.name).collect());
        }
        if projections.last().is_none_or(|projection| projection.name.as_str() != name) {
            projections.push(ProjectionSummary {
                name: identifier(name)?,
                active_build: active,
                active_version: None,
                tables: Vec::new(),
                builds: Vec::new(),
            });
        }
        if let Some(projection) = projections.last_mut() {
            if is_active {
                projection.active_version = Some(summary.version);
            }
            projection.builds.push(summary);
        }
    }
    for projection in &mut projections {
        let shown = projection.active_build.or(projection.builds.first().map(|build| build.build));
        projection.tables = shown.and_then(|build| tables.remove(&build)).unwrap_or_default();
    }
    Ok(projections)
}
