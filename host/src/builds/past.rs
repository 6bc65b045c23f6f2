//! Past builds in Postgres: what a read model was at a position of the log. They are made when somebody asks for them, kept for a while, and
//! leave nothing when they are retired.

use std::time::Duration;

use gnomon_values::Instant;
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use super::{
    build::{BuildError, BuildId},
    columns::StateColumns,
    number::BuildNumber,
    past_limits::PastUse,
    state::{BuildState, State},
    store::{ActiveBuild, tables_of},
    upcasters::{PinnedUpcaster, active_upcasters},
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{PgTimestamp, sql_row},
    read_model::Identifier,
    runtime::Descriptor,
};

/// How often it is noted at most that somebody asks for a past build.
const NOTE_ASKED: Duration = Duration::from_secs(10);
/// The advisory lock of whoever begins a past build, so that all hosts together keep the limits. It is taken before all other locks.
const BEGINNING: i64 = 0x676e_6f6d_7061_7374;
/// A rate of which the last commit is older is none.
const RATE_VALID_FOR: Duration = Duration::from_secs(10);

/// The logic that made a read model: a version of its projection, and the upcasters before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) version: ModuleVersion,
    pub(crate) upcasters: Vec<PinnedUpcaster>,
}

/// The result of looking for the logic that is to show the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineageLookup {
    Found(Lineage),
    /// No version is named, and queries read none yet.
    NoActiveBuild,
    /// There is no such projection.
    NoProjection,
}

/// The logic that shows the past of a projection: that of the active build, or, if a version is named, that of its newest build, also of one
/// that is retired. A version that never had a build goes with the upcasters that are active now.
pub(crate) async fn lineage(
    connection: &mut PgConnection,
    projection: &Identifier,
    version: Option<ModuleVersion>,
) -> Result<LineageLookup, sqlx::Error> {
    let found: Vec<(Option<ModuleVersion>, Option<Json<Vec<PinnedUpcaster>>>)> = sqlx::query_as(
        "SELECT build.version, upcasters FROM gnomon.projections
         LEFT JOIN gnomon.builds AS build
              ON projection = name AND stop_at IS NULL AND verifies IS NULL
                 AND CASE WHEN $2::integer IS NULL THEN role = 'active' ELSE version = $2 END
         WHERE name = $1 ORDER BY build DESC NULLS LAST LIMIT 1",
    )
    .bind(projection)
    .bind(version)
    .fetch_all(&mut *connection)
    .await?;
    Ok(match (found.into_iter().next(), version) {
        (None, _) => LineageLookup::NoProjection,
        (Some((Some(version), Some(Json(upcasters)))), _) => LineageLookup::Found(Lineage { version, upcasters }),
        (Some(_), Some(version)) => {
            let upcasters = active_upcasters(connection).await?;
            LineageLookup::Found(Lineage { version, upcasters })
        }
        (Some(_), None) => LineageLookup::NoActiveBuild,
    })
}

/// A past build that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct FoundPast {
    pub(crate) build: BuildId,
    pub(crate) number: BuildNumber,
    pub(crate) version: ModuleVersion,
    /// The position that it shows.
    pub(crate) position: Position,
    pub(crate) state: BuildState,
    /// Which rows it has.
    pub(crate) contents: Uuid,
    pub(crate) checkpoint: Position,
    /// Why it stopped, if it did.
    pub(crate) error: Option<BuildError>,
    /// Whether it is to be noted that somebody asks for it.
    is_unnoted: bool,
}

struct FoundRow {
    build: BuildId,
    number: BuildNumber,
    version: ModuleVersion,
    stop_at: Position,
    state: StateColumns,
    contents: Uuid,
    checkpoint: Position,
    error: Option<Json<BuildError>>,
    is_unnoted: bool,
}

sql_row!(FoundRow { build, number, version, stop_at, contents, checkpoint, error, is_unnoted, ..state });

impl FoundRow {
    fn found(self) -> Result<FoundPast, sqlx::Error> {
        let state: State = self.state.state()?;
        Ok(FoundPast {
            build: self.build,
            number: self.number,
            version: self.version,
            position: self.stop_at,
            state: state.into(),
            contents: self.contents,
            checkpoint: self.checkpoint,
            error: self.error.map(|Json(error)| error),
            is_unnoted: self.is_unnoted,
        })
    }
}

/// The columns of a [`FoundRow`].
macro_rules! select_found {
    ($rest:literal) => {
        concat!(
            "SELECT build, number, version, stop_at, stage, work, role, activation, contents, checkpoint, error,
                    asked_at < clock_timestamp() - $1 AS is_unnoted
             FROM gnomon.builds JOIN gnomon.subscriptions ON subscription = build ",
            $rest
        )
    };
}

/// The past build of this logic that ends at a position, if there is one.
pub(crate) async fn find_past(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
    lineage: &Lineage,
    position: Position,
) -> Result<Option<FoundPast>, sqlx::Error> {
    let row: Option<FoundRow> =
        sqlx::query_as(select_found!("WHERE projection = $2 AND version = $3 AND upcasters = $4 AND stop_at = $5"))
            .bind(NOTE_ASKED)
            .bind(projection)
            .bind(lineage.version)
            .bind(Json(&lineage.upcasters))
            .bind(position)
            .fetch_optional(connection)
            .await?;
    row.map(FoundRow::found).transpose()
}

/// A past build by its key, as it is now.
pub(crate) async fn past_build(pool: &PgPool, build: BuildId) -> Result<Option<FoundPast>, sqlx::Error> {
    let row: Option<FoundRow> = sqlx::query_as(select_found!("WHERE build = $2 AND stop_at IS NOT NULL"))
        .bind(NOTE_ASKED)
        .bind(build)
        .fetch_optional(pool)
        .await?;
    row.map(FoundRow::found).transpose()
}

/// A past build with the tables that its version describes.
pub(crate) async fn past_tables(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
    past: &FoundPast,
) -> Result<ActiveBuild, sqlx::Error> {
    let descriptor: Json<Descriptor> =
        sqlx::query_scalar("SELECT descriptor FROM gnomon.module_versions WHERE module = $1 AND version = $2")
            .bind(projection)
            .bind(past.version)
            .fetch_one(connection)
            .await?;
    let tables = tables_of(projection, past.version, past.build, descriptor.0)?;
    Ok(ActiveBuild { build: past.build, number: past.number, version: past.version, tables })
}

/// A projection's past builds.
pub(super) async fn past_of_projection(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
) -> Result<Vec<BuildId>, sqlx::Error> {
    sqlx::query_scalar("SELECT build FROM gnomon.builds WHERE projection = $1 AND stop_at IS NOT NULL ORDER BY build")
        .bind(projection)
        .fetch_all(connection)
        .await
}

/// Notes that somebody asks for a past build, unless that was noted a moment ago. It waits for nobody who has the row locked.
pub(crate) async fn note_asked(pool: &PgPool, past: &FoundPast) -> Result<(), sqlx::Error> {
    if !past.is_unnoted {
        return Ok(());
    }
    sqlx::query(
        "WITH free AS (SELECT build FROM gnomon.builds WHERE build = $1 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE gnomon.builds AS entry SET asked_at = clock_timestamp() FROM free WHERE entry.build = free.build",
    )
    .bind(past.build)
    .execute(pool)
    .await?;
    Ok(())
}

/// Locks the beginning of past builds until the transaction ends.
pub(crate) async fn begin_past_builds(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(BEGINNING).execute(connection).await?;
    Ok(())
}

/// The bytes of the tables of a build, with their indexes.
macro_rules! bytes {
    () => {
        "(SELECT coalesce(sum(pg_total_relation_size(relation.oid)), 0)::bigint
          FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
          WHERE nspname = 'build_' || build.build AND relkind = 'r')"
    };
}

/// All past builds, as they take their places.
pub(crate) async fn past_uses(connection: &mut PgConnection) -> Result<Vec<PastUse>, sqlx::Error> {
    let rows: Vec<(BuildId, Identifier, bool, f64, i64)> = sqlx::query_as(concat!(
        "SELECT build, projection, work = 'running',
                greatest(extract(epoch FROM clock_timestamp() - asked_at), 0)::float8, ",
        bytes!(),
        " FROM gnomon.builds AS build WHERE stop_at IS NOT NULL ORDER BY build"
    ))
    .fetch_all(connection)
    .await?;
    let used = |(build, projection, is_running, seconds, bytes): (_, _, _, f64, i64)| PastUse {
        build,
        projection,
        is_running,
        unasked_for: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        bytes: bytes.cast_unsigned(),
    };
    Ok(rows.into_iter().map(used).collect())
}

/// The bytes of the tables of one build.
pub(crate) async fn bytes_of(connection: impl PgExecutor<'_>, build: BuildId) -> Result<u64, sqlx::Error> {
    let bytes: i64 = sqlx::query_scalar(concat!("SELECT ", bytes!(), " FROM (SELECT $1::bigint AS build) AS build"))
        .bind(build)
        .fetch_one(connection)
        .await?;
    Ok(bytes.cast_unsigned())
}

/// A past build as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct PastSummary {
    /// Its number.
    pub past_build: BuildNumber,
    /// The projection.
    pub projection: Identifier,
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// The position that it shows.
    pub position: Position,
    /// The one word for its state.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
    /// Positions of the log that it passed in a second, in the last seconds; 0 if it does not move.
    pub events_per_second: f64,
    /// Seconds until it is finished, at that rate; `None` if it is, or does not move.
    pub seconds_left: Option<f64>,
    /// Why it stopped, if it did.
    pub error: Option<BuildError>,
    /// What it waits for that somebody else holds, if it does.
    pub waits_for: Option<String>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// The bytes of its tables.
    pub bytes: u64,
    /// When it was begun.
    pub created_at: Instant,
    /// When somebody asked for it last, up to ten seconds earlier than that.
    pub asked_at: Instant,
}

struct SummaryRow {
    build: BuildId,
    number: BuildNumber,
    projection: Identifier,
    version: ModuleVersion,
    upcasters: Json<Vec<PinnedUpcaster>>,
    stop_at: Position,
    state: StateColumns,
    checkpoint: Position,
    events_per_second: f64,
    error: Option<Json<BuildError>>,
    waits_for: Option<String>,
    dead_letters: i64,
    bytes: i64,
    created_at: PgTimestamp,
    asked_at: PgTimestamp,
}

sql_row!(SummaryRow {
    build,
    number,
    projection,
    version,
    upcasters,
    stop_at,
    checkpoint,
    events_per_second,
    error,
    waits_for,
    dead_letters,
    bytes,
    created_at,
    asked_at,
    ..state
});

impl SummaryRow {
    fn summary(self) -> Result<(BuildId, PastSummary), sqlx::Error> {
        let state = self.state.state()?;
        let events_per_second = if state.is_running() { self.events_per_second } else { 0.0 };
        #[allow(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds_left = state
            .is_running()
            .then(|| self.stop_at.0.saturating_sub(self.checkpoint.0) as f64 / events_per_second)
            .filter(|seconds| seconds.is_finite());
        let summary = PastSummary {
            past_build: self.number,
            projection: self.projection,
            version: self.version,
            upcasters: self.upcasters.0,
            position: self.stop_at,
            state: state.into(),
            checkpoint: self.checkpoint,
            events_per_second,
            seconds_left,
            error: self.error.map(|Json(error)| error),
            waits_for: self.waits_for,
            dead_letters: u64::try_from(self.dead_letters).unwrap_or_default(),
            bytes: self.bytes.cast_unsigned(),
            created_at: self.created_at.instant(),
            asked_at: self.asked_at.instant(),
        };
        Ok((self.build, summary))
    }
}

/// The past builds of a projection, newest first, or the one of a number; with their keys.
pub(crate) async fn past_summaries(
    connection: impl PgExecutor<'_>,
    projection: &Identifier,
    number: Option<BuildNumber>,
) -> Result<Vec<(BuildId, PastSummary)>, sqlx::Error> {
    let rows: Vec<SummaryRow> = sqlx::query_as(concat!(
        "SELECT build.build, number, projection, version, upcasters, stop_at, stage, work, role, activation, checkpoint,
                CASE WHEN committed_at > clock_timestamp() - $1 THEN events_per_second ELSE 0 END AS events_per_second,
                error, waits_for, created_at, asked_at,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = build.build) AS dead_letters, ",
        bytes!(),
        " AS bytes
         FROM gnomon.builds AS build JOIN gnomon.subscriptions AS entry ON entry.subscription = build.build
         WHERE projection = $2 AND stop_at IS NOT NULL AND ($3::bigint IS NULL OR number = $3) ORDER BY number DESC"
    ))
    .bind(RATE_VALID_FOR)
    .bind(projection)
    .bind(number)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(SummaryRow::summary).collect()
}
