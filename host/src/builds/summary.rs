//! Projections and builds as users see them.

use std::{collections::HashMap, time::Duration};

use gnomon_values::Instant;
use sqlx::{PgPool, types::Json};

use super::{
    build::{BuildError, BuildId},
    columns::StateColumns,
    state::{BuildState, State},
    upcasters::PinnedUpcaster,
};
use crate::{
    event_log::Position, modules::ModuleVersion, postgres::PgTimestamp, read_model::Identifier, runtime::Descriptor,
    subscriptions::OnFailure,
};

/// A build whose last commit is older has no rate.
const RATE_VALID_FOR: Duration = Duration::from_secs(10);

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Queries read it, or may.
    Queries,
    /// It was made to verify another one.
    Verify,
}

/// A build as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildSummary {
    /// Its number.
    pub build: BuildId,
    /// The version of the projection that it materialises.
    pub version: ModuleVersion,
    /// The one word for its state.
    pub state: BuildState,
    /// The position up to which it holds the effect of every event.
    pub checkpoint: Position,
    /// The position of the newest event.
    pub head: Position,
    /// head − checkpoint, or `None` for a build that is retired.
    pub lag: Option<u64>,
    /// Positions of the log that it passed in a second, in the last seconds; 0 if it does not move or is stopped.
    pub events_per_second: f64,
    /// Seconds until it has caught up, at that rate, or `None` if it has caught up or does not move.
    pub seconds_left: Option<f64>,
    /// Why it stopped, if it did.
    pub error: Option<BuildError>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// How many dead letters were folded after events that come later in the log. If there are any, its rows may differ from those
    /// that the log gives; those of a rebuild do not.
    pub out_of_order: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// Whether it becomes the active one by itself when it has caught up.
    pub activate_when_live: bool,
    /// When it was started.
    pub created_at: Instant,
    /// When queries turned to another build, or `None` if they read this one, or never did.
    pub replaced_at: Option<Instant>,
}

/// A projection as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionSummary {
    /// Its name.
    pub name: Identifier,
    /// The build that queries read, or `None` before the first has caught up.
    pub active_build: Option<BuildId>,
    /// The version of that build.
    pub active_version: Option<ModuleVersion>,
    /// What happens at an event that its module cannot handle.
    pub on_failure: OnFailure,
    /// The names of the tables of its active build, or of its newest build if none is active.
    pub tables: Vec<String>,
    /// Its builds, newest first; of those that are retired, the newest five.
    pub builds: Vec<BuildSummary>,
}

#[derive(sqlx::FromRow)]
struct BuildRow {
    name: Identifier,
    on_failure: OnFailure,
    build: BuildId,
    version: ModuleVersion,
    #[sqlx(flatten)]
    state: StateColumns,
    verifies: Option<BuildId>,
    upcasters: Json<Vec<PinnedUpcaster>>,
    checkpoint: Position,
    events_per_second: f64,
    error: Option<Json<BuildError>>,
    dead_letters: i64,
    out_of_order: i64,
    created_at: PgTimestamp,
    replaced_at: Option<PgTimestamp>,
    descriptor: Json<Descriptor>,
    head: Position,
}

impl BuildRow {
    fn summary(&self) -> Result<BuildSummary, sqlx::Error> {
        let (head, checkpoint) = (self.head, self.checkpoint);
        let state = self.state.state()?;
        let lag = (state != State::Retired).then(|| head.0.saturating_sub(checkpoint.0));
        let events_per_second = if state.is_running() { self.events_per_second } else { 0.0 };
        #[allow(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds_left = lag.filter(|lag| *lag > 0).map(|lag| lag as f64 / events_per_second);
        Ok(BuildSummary {
            build: self.build,
            version: self.version,
            state: state.into(),
            checkpoint,
            head,
            lag,
            events_per_second,
            seconds_left: seconds_left.filter(|seconds| seconds.is_finite()),
            error: self.error.as_ref().map(|error| error.0.clone()),
            dead_letters: u64::try_from(self.dead_letters).unwrap_or_default(),
            out_of_order: u64::try_from(self.out_of_order).unwrap_or_default(),
            purpose: if self.verifies.is_some() { Purpose::Verify } else { Purpose::Queries },
            upcasters: self.upcasters.0.clone(),
            activate_when_live: state.activates_when_live(),
            created_at: self.created_at.instant(),
            replaced_at: self.replaced_at.map(PgTimestamp::instant),
        })
    }
}

/// Projections with their builds, of one name if one is given.
pub(crate) async fn summaries(pool: &PgPool, name: Option<&Identifier>) -> Result<Vec<ProjectionSummary>, sqlx::Error> {
    // One statement, so that the head and the checkpoints are from one snapshot.
    let rows: Vec<BuildRow> = sqlx::query_as(
        "WITH builds AS (
             SELECT *, row_number() OVER (PARTITION BY projection, stage IS NULL ORDER BY build DESC) AS age
             FROM gnomon.builds WHERE $1::text IS NULL OR projection = $1
         )
         SELECT name, on_failure, build, build.version, stage, work, role, activation, verifies, upcasters, checkpoint, out_of_order,
                CASE WHEN committed_at > clock_timestamp() - $2 THEN events_per_second ELSE 0 END AS events_per_second,
                error, build.created_at, replaced_at, descriptor, head.position AS head,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = build) AS dead_letters
         FROM builds AS build
         JOIN gnomon.projections ON name = build.projection
         JOIN gnomon.subscriptions ON subscription = build
         JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
         CROSS JOIN gnomon.head
         WHERE stage IS NOT NULL OR age <= 5
         ORDER BY name, build DESC",
    )
    .bind(name)
    .bind(RATE_VALID_FOR)
    .fetch_all(pool)
    .await?;

    let mut projections: Vec<ProjectionSummary> = Vec::new();
    let mut tables: HashMap<BuildId, Vec<String>> = HashMap::new();
    for row in rows {
        let summary = row.summary()?;
        if let Descriptor::Projection(descriptor) = row.descriptor.0 {
            tables.insert(summary.build, descriptor.tables.into_iter().map(|table| table.name).collect());
        }
        if projections.last().is_none_or(|projection| projection.name != row.name) {
            projections.push(ProjectionSummary {
                name: row.name,
                active_build: None,
                active_version: None,
                on_failure: row.on_failure,
                tables: Vec::new(),
                builds: Vec::new(),
            });
        }
        if let Some(projection) = projections.last_mut() {
            if row.state.state()?.is_active() {
                (projection.active_build, projection.active_version) = (Some(summary.build), Some(summary.version));
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
