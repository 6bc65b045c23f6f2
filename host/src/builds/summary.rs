//! Projections and builds as users see them.

use std::time::Duration;

use gnomon_values::Instant;
use sqlx::{PgPool, types::Json};

use super::{
    build::BuildError,
    columns::StateColumns,
    number::BuildNumber,
    state::{BuildState, State},
    upcasters::PinnedUpcaster,
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::{PgTimestamp, sql_row},
    read_model::Identifier,
    runtime::Descriptor,
    subscriptions::OnFailure,
};

/// A build whose last commit is older has no rate.
const RATE_VALID_FOR: Duration = Duration::from_secs(10);

/// The retired builds of a projection that are listed at most.
const RETIRED_LISTED: i64 = 100;

/// Whether builds that are retired are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetiredBuilds {
    /// They are not.
    #[default]
    Hidden,
    /// The newest hundred are.
    Listed,
}

/// A build as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildSummary {
    /// Its number.
    pub build: BuildNumber,
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
    /// What it waits for that somebody else holds, if it does.
    pub waits_for: Option<String>,
    /// How many events it has set aside.
    pub dead_letters: u64,
    /// How many dead letters were folded after events that come later in the log. If there are any, its rows may differ from those
    /// that the log gives; those of a rebuild do not.
    pub out_of_order: u64,
    /// The upcasters that its events go through.
    pub upcasters: Vec<PinnedUpcaster>,
    /// Whether it becomes the active one by itself when it has caught up.
    pub activate_when_live: bool,
    /// When it was started.
    pub created_at: Instant,
    /// When queries turned to another build, or `None` if they read this one, or never did.
    pub replaced_at: Option<Instant>,
}

/// A verification as users see it while it has tables.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationSummary {
    /// The build that is verified.
    pub verified: BuildNumber,
    /// The build that was made for it. Its number is that of the verification.
    pub by: BuildSummary,
}

/// A projection as users see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectionSummary {
    /// Its name.
    pub name: Identifier,
    /// The build that queries read, or `None` before the first has caught up.
    pub active_build: Option<BuildNumber>,
    /// The version of that build.
    pub active_version: Option<ModuleVersion>,
    /// What happens at an event that its module cannot handle.
    pub on_failure: OnFailure,
    /// The names of the tables of its active build, or of its newest build if none is active.
    pub tables: Vec<String>,
    /// Its builds, newest first.
    pub builds: Vec<BuildSummary>,
    /// Its verifications that have tables, newest first.
    pub verifications: Vec<VerificationSummary>,
}

struct BuildRow {
    name: Identifier,
    on_failure: OnFailure,
    number: BuildNumber,
    version: ModuleVersion,
    state: StateColumns,
    verified: Option<BuildNumber>,
    upcasters: Json<Vec<PinnedUpcaster>>,
    checkpoint: Position,
    events_per_second: f64,
    error: Option<Json<BuildError>>,
    waits_for: Option<String>,
    dead_letters: i64,
    out_of_order: i64,
    created_at: PgTimestamp,
    replaced_at: Option<PgTimestamp>,
    descriptor: Json<Descriptor>,
    head: Position,
}

sql_row!(BuildRow {
    name,
    on_failure,
    number,
    version,
    verified,
    upcasters,
    checkpoint,
    events_per_second,
    error,
    waits_for,
    dead_letters,
    out_of_order,
    created_at,
    replaced_at,
    descriptor,
    head,
    ..state
});

impl BuildRow {
    fn summary(&self) -> Result<BuildSummary, sqlx::Error> {
        let (head, checkpoint) = (self.head, self.checkpoint);
        let state = self.state.state()?;
        let lag = (state != State::Retired).then(|| head.0.saturating_sub(checkpoint.0));
        let events_per_second = if state.is_running() { self.events_per_second } else { 0.0 };
        #[allow(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds_left = lag.filter(|lag| *lag > 0).map(|lag| lag as f64 / events_per_second);
        Ok(BuildSummary {
            build: self.number,
            version: self.version,
            state: state.into(),
            checkpoint,
            head,
            lag,
            events_per_second,
            seconds_left: seconds_left.filter(|seconds| seconds.is_finite()),
            error: self.error.as_ref().map(|error| error.0.clone()),
            waits_for: self.waits_for.clone(),
            dead_letters: u64::try_from(self.dead_letters).unwrap_or_default(),
            out_of_order: u64::try_from(self.out_of_order).unwrap_or_default(),
            upcasters: self.upcasters.0.clone(),
            activate_when_live: state.activates_when_live(),
            created_at: self.created_at.instant(),
            replaced_at: self.replaced_at.map(PgTimestamp::instant),
        })
    }
}

/// Projections with their builds, of one name if one is given.
pub(crate) async fn summaries(
    pool: &PgPool,
    name: Option<&Identifier>,
    retired: RetiredBuilds,
) -> Result<Vec<ProjectionSummary>, sqlx::Error> {
    // The newest retired build is always read: if all are retired, it has the tables.
    let retired_read = match retired {
        RetiredBuilds::Hidden => 1,
        RetiredBuilds::Listed => RETIRED_LISTED,
    };
    // One statement, so that the head and the checkpoints are from one snapshot.
    let rows: Vec<BuildRow> = sqlx::query_as(
        "WITH builds AS (
             SELECT *, row_number() OVER (PARTITION BY projection, stage IS NULL, verifies IS NULL ORDER BY build DESC) AS age
             FROM gnomon.builds WHERE stop_at IS NULL AND ($1::text IS NULL OR projection = $1)
         )
         SELECT name, on_failure, build.number, build.version, build.stage, build.work, build.role, build.activation,
                verified.number AS verified, build.upcasters, checkpoint, out_of_order,
                CASE WHEN committed_at > clock_timestamp() - $2 THEN events_per_second ELSE 0 END AS events_per_second,
                build.error, build.waits_for, build.created_at, build.replaced_at, descriptor, head.position AS head,
                (SELECT count(*) FROM gnomon.dead_letters AS letter WHERE letter.subscription = build.build) AS dead_letters
         FROM builds AS build
         JOIN gnomon.projections ON name = build.projection
         JOIN gnomon.subscriptions ON subscription = build.build
         LEFT JOIN gnomon.builds AS verified ON verified.build = build.verifies
         JOIN gnomon.module_versions AS module ON module.module = name AND module.version = build.version
         CROSS JOIN gnomon.head
         WHERE build.stage IS NOT NULL OR (build.verifies IS NULL AND age <= $3)
         ORDER BY name, build.build DESC",
    )
    .bind(name)
    .bind(RATE_VALID_FOR)
    .bind(retired_read)
    .fetch_all(pool)
    .await?;

    let mut projections: Vec<ProjectionSummary> = Vec::new();
    for row in rows {
        let (state, summary) = (row.state.state()?, row.summary()?);
        if projections.last().is_none_or(|projection| projection.name != row.name) {
            projections.push(ProjectionSummary {
                name: row.name.clone(),
                active_build: None,
                active_version: None,
                on_failure: row.on_failure,
                tables: Vec::new(),
                builds: Vec::new(),
                verifications: Vec::new(),
            });
        }
        let Some(projection) = projections.last_mut() else { continue };
        if let Some(verified) = row.verified {
            projection.verifications.push(VerificationSummary { verified, by: summary });
            continue;
        }
        if state.is_active() {
            (projection.active_build, projection.active_version) = (Some(summary.build), Some(summary.version));
        }
        if let Descriptor::Projection(descriptor) = row.descriptor.0
            && (projection.tables.is_empty() || state.is_active())
        {
            projection.tables = descriptor.tables.into_iter().map(|table| table.name).collect();
        }
        if state != State::Retired || retired == RetiredBuilds::Listed {
            projection.builds.push(summary);
        }
    }
    Ok(projections)
}
