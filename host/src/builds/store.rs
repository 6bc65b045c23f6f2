//! Builds in Postgres: all SQL on builds and projections, except for that of the history, of the summaries, of past builds and of outdated ones.

use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};

use super::{
    build::{Build, BuildError, BuildId, NewBuild, Verifies},
    columns::StateColumns,
    number::BuildNumber,
    state::State,
    upcasters::PinnedUpcaster,
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{Heard, sql_row},
    read_model::{Identifier, TableSet},
    runtime::Descriptor,
    subscriptions::{self, Lease, OnFailure, Redelivery, Retrying},
};

pub(super) struct BuildRow {
    build: BuildId,
    number: BuildNumber,
    projection: Identifier,
    version: ModuleVersion,
    upcasters: Json<Vec<PinnedUpcaster>>,
    state: StateColumns,
    verifies: Option<BuildId>,
    verify_batch: Option<i32>,
    stop_at: Option<Position>,
    was_active: bool,
}

sql_row!(BuildRow {
    build,
    number,
    projection,
    version,
    upcasters,
    verifies,
    verify_batch,
    stop_at,
    was_active,
    ..state
});

/// The columns of a [`BuildRow`].
macro_rules! select_builds {
    ($rest:literal) => {
        concat!(
            "SELECT build, number, build.projection, build.version, upcasters, stage, work, role, activation, verifies, verify_batch, \
             stop_at, activated_at IS NOT NULL AS was_active FROM gnomon.builds AS build ",
            $rest
        )
    };
}

impl BuildRow {
    fn build(self) -> Result<Build, sqlx::Error> {
        let verifies = self
            .verifies
            .zip(self.verify_batch)
            .map(|(build, events)| Verifies { build, batch_events: usize::try_from(events).unwrap_or(1) });
        Ok(Build {
            id: self.build,
            number: self.number,
            projection: self.projection,
            version: self.version,
            upcasters: self.upcasters.0,
            state: self.state.state()?,
            verifies,
            stop_at: self.stop_at,
            was_active: self.was_active,
        })
    }
}

fn builds(rows: Vec<BuildRow>) -> Result<Vec<Build>, sqlx::Error> {
    rows.into_iter().map(BuildRow::build).collect()
}

/// A projection's builds, newest first, or `None` if there is no such projection. Past builds are not among them: nothing that is done to builds
/// concerns those.
pub(crate) async fn of_projection(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
) -> Result<Option<Vec<Build>>, sqlx::Error> {
    // A projection is inserted together with its first build, so one without builds does not exist.
    let rows: Vec<BuildRow> =
        sqlx::query_as(select_builds!("WHERE projection = $1 AND stop_at IS NULL ORDER BY build DESC"))
            .bind(projection)
            .fetch_all(connection)
            .await?;
    Ok(Some(builds(rows)?).filter(|builds| !builds.is_empty()))
}

/// Builds by key, locked in that order until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection, keys: &[BuildId]) -> Result<Vec<Build>, sqlx::Error> {
    let rows: Vec<BuildRow> =
        sqlx::query_as(select_builds!("WHERE build = ANY($1) ORDER BY build FOR NO KEY UPDATE OF build"))
            .bind(keys)
            .fetch_all(connection)
            .await?;
    builds(rows)
}

/// Builds by key.
pub(crate) async fn get(connection: impl PgExecutor<'_>, keys: &[BuildId]) -> Result<Vec<Build>, sqlx::Error> {
    let rows: Vec<BuildRow> =
        sqlx::query_as(select_builds!("WHERE build = ANY($1) ORDER BY build")).bind(keys).fetch_all(connection).await?;
    builds(rows)
}

/// The builds that a host should work on, and whether each is a past build.
pub(crate) async fn running(connection: impl PgExecutor<'_>) -> Result<Vec<(BuildId, bool)>, sqlx::Error> {
    sqlx::query_as("SELECT build, stop_at IS NOT NULL FROM gnomon.builds WHERE work = 'running' ORDER BY build")
        .fetch_all(connection)
        .await
}

/// The work on a build.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) build: Build,
    /// What happens at an event that its module cannot handle.
    pub(crate) on_failure: OnFailure,
    /// The dead letters that are to be tried again, if an operator asked for it.
    pub(crate) retrying: Option<Retrying>,
    /// What it was last noted to wait for.
    pub(crate) waits_for: Option<String>,
    /// Whether somebody follows its rows.
    pub(crate) is_followed: bool,
}

/// Returns the job, or `None` if the build is not running. Only the holder of the lease may ask: each change by an operator takes
/// the lease away, so the job is up to date for as long as the lease is held.
pub(crate) async fn job(connection: &mut PgConnection, build: BuildId) -> Result<Option<Job>, sqlx::Error> {
    let Some(build) = get(&mut *connection, &[build]).await?.pop().filter(|build| build.state.is_running()) else {
        return Ok(None);
    };
    type Row = (OnFailure, Option<Redelivery>, Position, Option<String>, bool);
    let (on_failure, retrying, retried_to, waits_for, is_followed): Row = sqlx::query_as(
        "SELECT on_failure, retrying, retried_to, waits_for, coalesce(followed_until > clock_timestamp(), false)
         FROM gnomon.subscriptions
         JOIN gnomon.builds ON build = subscription JOIN gnomon.projections ON name = projection WHERE build = $1",
    )
    .bind(build.id)
    .fetch_one(connection)
    .await?;
    let retrying = retrying.map(|redelivery| Retrying { redelivery, after: retried_to });
    Ok(Some(Job { build, on_failure, retrying, waits_for, is_followed }))
}

/// The build that a query reads, the active one or a past build, with the tables that its version describes.
#[derive(Clone, Debug)]
pub(crate) struct ActiveBuild {
    pub(crate) build: BuildId,
    pub(crate) number: BuildNumber,
    pub(crate) version: ModuleVersion,
    pub(crate) tables: TableSet,
}

/// The result of looking for something of a projection's active build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActiveLookup<T> {
    /// It has one.
    Found(T),
    /// The projection has no active build yet.
    NoActiveBuild,
    /// There is no such projection.
    NoProjection,
}

impl<T> ActiveLookup<T> {
    pub(crate) fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::NoActiveBuild | Self::NoProjection => None,
        }
    }
}

/// Looks up the active build of a projection.
pub(crate) async fn active(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
) -> Result<ActiveLookup<ActiveBuild>, sqlx::Error> {
    let row: Option<(Option<BuildId>, Option<BuildNumber>, Option<ModuleVersion>, Option<Json<Descriptor>>)> =
        sqlx::query_as(
            "SELECT build, number, build.version, descriptor
         FROM gnomon.projections AS projection
         LEFT JOIN gnomon.builds AS build ON build.projection = name AND role = 'active'
         LEFT JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
         WHERE name = $1",
        )
        .bind(projection)
        .fetch_optional(connection)
        .await?;
    Ok(match row {
        None => ActiveLookup::NoProjection,
        Some((Some(build), Some(number), Some(version), Some(descriptor))) => {
            let tables = tables_of(projection, version, build, descriptor.0)?;
            ActiveLookup::Found(ActiveBuild { build, number, version, tables })
        }
        Some(_) => ActiveLookup::NoActiveBuild,
    })
}

/// Whether queries read this build now.
pub(crate) async fn is_active(pool: &PgPool, build: BuildId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM gnomon.builds WHERE build = $1 AND role = 'active')")
        .bind(build)
        .fetch_one(pool)
        .await
}

/// Looks up the checkpoint of the active build of a projection.
pub(crate) async fn active_checkpoint(
    pool: &PgPool,
    projection: &Identifier,
) -> Result<ActiveLookup<Position>, sqlx::Error> {
    let row: Option<Option<Position>> = sqlx::query_scalar(
        "SELECT checkpoint FROM gnomon.projections
         LEFT JOIN gnomon.builds ON projection = name AND role = 'active'
         LEFT JOIN gnomon.subscriptions ON subscription = build
         WHERE name = $1",
    )
    .bind(projection)
    .fetch_optional(pool)
    .await?;
    Ok(match row {
        None => ActiveLookup::NoProjection,
        Some(None) => ActiveLookup::NoActiveBuild,
        Some(Some(checkpoint)) => ActiveLookup::Found(checkpoint),
    })
}

/// The tables of a build, as its version describes them.
pub(crate) async fn tables(connection: impl PgExecutor<'_>, build: &Build) -> Result<TableSet, sqlx::Error> {
    let descriptor: Json<Descriptor> =
        sqlx::query_scalar("SELECT descriptor FROM gnomon.module_versions WHERE module = $1 AND version = $2")
            .bind(&build.projection)
            .bind(build.version)
            .fetch_one(connection)
            .await?;
    tables_of(&build.projection, build.version, build.id, descriptor.0)
}

/// What the version of a build says of its projection.
pub(crate) async fn description(connection: impl PgExecutor<'_>, build: &Build) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT descriptor->>'description' FROM gnomon.module_versions WHERE module = $1 AND version = $2",
    )
    .bind(&build.projection)
    .bind(build.version)
    .fetch_one(connection)
    .await
}

/// The tables of a build, as the descriptor of its version describes them.
pub(super) fn tables_of(
    projection: &Identifier,
    version: ModuleVersion,
    build: BuildId,
    descriptor: Descriptor,
) -> Result<TableSet, sqlx::Error> {
    let tables = match descriptor {
        Descriptor::Projection(descriptor) => descriptor.check(projection),
        Descriptor::Upcaster(_) | Descriptor::Reactor(_) => Err(vec!["it is not a projection".to_owned()]),
    };
    let tables = tables.map_err(|reasons| {
        let reasons = reasons.join("; ");
        sqlx::Error::Decode(
            format!("the stored descriptor of `{projection}` version {version} is not valid: {reasons}").into(),
        )
    })?;
    Ok(TableSet::new(build.schema(), &tables))
}

/// Inserts a projection if there is none of this name yet, and locks it until the transaction ends.
pub(crate) async fn ensure_projection(
    connection: &mut PgConnection,
    projection: &Identifier,
) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO gnomon.projections (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
    // One that is there may be deleted before it is locked.
    loop {
        let inserted = sqlx::query(insert).bind(projection).execute(&mut *connection).await?.rows_affected() > 0;
        if inserted || lock_projection(connection, projection).await? {
            return Ok(());
        }
    }
}

/// Locks a projection until the transaction ends. Returns whether there is one. As with subscriptions, foreign keys are not kept out: a
/// worker that reports has its subscription locked, and must not wait for a projection whose holder waits for that subscription.
pub(crate) async fn lock_projection(
    connection: &mut PgConnection,
    projection: &Identifier,
) -> Result<bool, sqlx::Error> {
    let name: Option<Identifier> =
        sqlx::query_scalar("SELECT name FROM gnomon.projections WHERE name = $1 FOR NO KEY UPDATE")
            .bind(projection)
            .fetch_optional(connection)
            .await?;
    Ok(name.is_some())
}

/// The names of all projections, in their order.
pub(crate) async fn projections(connection: &mut PgConnection) -> Result<Vec<Identifier>, sqlx::Error> {
    sqlx::query_scalar("SELECT name FROM gnomon.projections ORDER BY name").fetch_all(connection).await
}

/// Deletes a projection with its builds, their subscriptions and their dead letters.
pub(super) async fn delete_projection(
    connection: &mut PgConnection,
    projection: &Identifier,
) -> Result<(), sqlx::Error> {
    for statement in [
        "DELETE FROM gnomon.subscriptions WHERE subscription IN (SELECT build FROM gnomon.builds WHERE projection = $1)",
        "DELETE FROM gnomon.projections WHERE name = $1",
    ] {
        sqlx::query(statement).bind(projection).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The number of the next build of a projection that is locked, or of its next verification. The history counts as well: it outlives
/// the builds of a projection that was deleted, and must not name two builds by one number.
async fn next_number(
    connection: &mut PgConnection,
    projection: &Identifier,
    new: &NewBuild,
) -> Result<BuildNumber, sqlx::Error> {
    if new.stop_at().is_some() {
        return sqlx::query_scalar("SELECT nextval('gnomon.past_builds')").fetch_one(connection).await;
    }
    sqlx::query_scalar(
        "SELECT greatest(
             (SELECT max(number) FROM gnomon.builds
              WHERE projection = $1 AND (verifies IS NOT NULL) = $2 AND stop_at IS NULL),
             (SELECT max(CASE WHEN $2 THEN verification ELSE build END) FROM gnomon.history WHERE projection = $1),
             0) + 1",
    )
    .bind(projection)
    .bind(new.verifies().is_some())
    .fetch_one(connection)
    .await
}

/// Inserts a build and its subscription; the caller has locked the projection, and creates the tables.
pub(super) async fn insert(
    connection: &mut PgConnection,
    projection: &Identifier,
    new: &NewBuild,
) -> Result<Build, sqlx::Error> {
    let number = next_number(connection, projection, new).await?;
    let id = BuildId::from(subscriptions::insert(connection).await?);
    let state = new.state();
    let StateColumns { stage, work, role, activation } = state.into();
    sqlx::query(
        "INSERT INTO gnomon.builds
             (build, number, projection, version, upcasters, stage, work, role, activation, verifies, verify_batch, stop_at,
              asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                 CASE WHEN $12::bigint IS NOT NULL THEN clock_timestamp() END)",
    )
    .bind(id)
    .bind(number)
    .bind(projection)
    .bind(new.version)
    .bind(Json(&new.upcasters))
    .bind(stage)
    .bind(work)
    .bind(role)
    .bind(activation)
    .bind(new.verifies().map(|verifies| verifies.build))
    .bind(new.verifies().map(|verifies| i32::try_from(verifies.batch_events).unwrap_or(i32::MAX)))
    .bind(new.stop_at())
    .execute(connection)
    .await?;
    Ok(Build {
        id,
        number,
        projection: projection.clone(),
        version: new.version,
        upcasters: new.upcasters.clone(),
        state,
        verifies: new.verifies(),
        stop_at: new.stop_at(),
        was_active: false,
    })
}

/// What is written together with the state of a build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks<'e> {
    /// Whether its error becomes the next field's.
    pub(super) sets_error: bool,
    /// Why it stopped or could not be activated.
    pub(super) error: Option<&'e BuildError>,
    /// Whether queries read it from now on.
    pub(super) is_activated: bool,
    /// Whether queries no longer read it from now on.
    pub(super) is_replaced: bool,
}

/// Writes the state of a build that is locked. It waits for nothing any more, as far as is known.
pub(super) async fn set_state(
    connection: &mut PgConnection,
    build: BuildId,
    state: State,
    marks: &Marks<'_>,
) -> Result<(), sqlx::Error> {
    let StateColumns { stage, work, role, activation } = state.into();
    // One statement: with the second UPDATE of a row in one transaction, Postgres checks its foreign keys again, and locks what they
    // refer to.
    sqlx::query(
        "UPDATE gnomon.builds
         SET stage = $2, work = $3, role = $4, activation = $5, waits_for = NULL,
             error = CASE WHEN $6 THEN $7 ELSE error END,
             activated_at = CASE WHEN $8 THEN clock_timestamp() ELSE activated_at END,
             replaced_at = CASE WHEN $8 THEN NULL WHEN $9 THEN clock_timestamp() ELSE replaced_at END
         WHERE build = $1",
    )
    .bind(build)
    .bind(stage)
    .bind(work)
    .bind(role)
    .bind(activation)
    .bind(marks.sets_error)
    .bind(marks.error.map(Json))
    .bind(marks.is_activated)
    .bind(marks.is_replaced)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a build whose tables are dropped, with its subscription and all that belongs to that.
pub(super) async fn delete(connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.subscriptions WHERE subscription = $1").bind(build).execute(connection).await?;
    Ok(())
}

/// Notes what a build waits for, or that it waits for nothing. With a lease, only as long as that is held.
pub(crate) async fn note_waiting(
    pool: &PgPool,
    build: BuildId,
    lease: Option<Lease>,
    waits_for: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.builds SET waits_for = $2
         WHERE build = $1 AND stage IS NOT NULL AND waits_for IS DISTINCT FROM $2
           AND ($3::bigint IS NULL
                OR EXISTS (SELECT FROM gnomon.subscriptions WHERE subscription = $1 AND lease_epoch = $3))",
    )
    .bind(build)
    .bind(waits_for)
    .bind(lease.map(|lease| lease.epoch))
    .execute(pool)
    .await?;
    Ok(())
}

/// Wakes the supervisors of all hosts when the transaction commits.
pub(crate) async fn notify(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify('gnomon_builds', '')").execute(connection).await?;
    Ok(())
}

/// Tells the supervisors of all hosts that somebody waits for a position.
pub(crate) async fn notify_awaited(pool: &PgPool, position: Position) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify('gnomon_builds', $1)").bind(position.to_string()).execute(pool).await?;
    Ok(())
}

/// The position that somebody waits for, if that is what supervisors were told.
pub(crate) fn awaited(heard: &Heard) -> Option<Position> {
    match heard {
        Heard::Notification(payload) => payload.parse().ok().map(Position),
        Heard::Began => None,
    }
}
