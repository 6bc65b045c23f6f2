//! Comparing two builds of a projection, and hashing one.

use std::time::Duration;

use serde::Serialize;
use sqlx::types::Json;

use super::{
    Projector,
    active::tables_of,
    build::{BuildId, Status},
    meet::{MeetError, meet},
    snapshot::Snapshot,
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    read_model::{
        ContentHashes, Identifier, TableSet,
        compare::{TableComparison, compare},
        content_hash,
    },
    runtime::Descriptor,
};

/// How a comparison is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Rows of each kind of difference to show, for each table; at most [`MAX_SAMPLES`](crate::read_model::compare::MAX_SAMPLES).
    pub samples: usize,
    /// How long to wait until the builds stand at one position.
    pub patience: Duration,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { samples: 5, patience: Duration::from_secs(10) }
    }
}

/// What two builds of a projection hold at one position.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The projection.
    pub projection: Identifier,
    /// Both builds hold the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The left build: what was.
    pub left: ComparedBuild,
    /// The right build: what is to be.
    pub right: ComparedBuild,
    /// Whether they hold the same tables with the same rows.
    pub identical: bool,
    /// Each table.
    pub tables: Vec<TableComparison>,
}

/// A build that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedBuild {
    /// Its number.
    pub build: BuildId,
    /// The version that it materialises.
    pub version: ModuleVersion,
}

/// What a build holds at a position, as hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildContent {
    /// The build.
    pub build: BuildId,
    /// The version that it materialises.
    pub version: ModuleVersion,
    /// It holds the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The hashes.
    #[serde(flatten)]
    pub hashes: ContentHashes,
}

/// Why two builds are not compared, or one is not hashed.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The projection has no such build.
    #[error("projection `{projection}` has no build {build}; it has {}", list(builds))]
    NoBuild {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
        /// The builds that it has.
        builds: Vec<BuildId>,
    },
    /// There is no such build at all.
    #[error("there is no build {0}")]
    NoSuchBuild(BuildId),
    /// Nobody says which build is the left one, and none is active.
    #[error("projection `{0}` has no active build yet; name the builds to compare, `left` and `right`")]
    NoActiveBuild(Identifier),
    /// There is no second build.
    #[error(
        "projection `{projection}` has no other build to compare build {left} with; deploy another version of it, or rebuild it"
    )]
    NoOtherBuild {
        /// The projection.
        projection: Identifier,
        /// The build that there is.
        left: BuildId,
    },
    /// Left and right are one.
    #[error("build {0} is on both sides; name another build as `left` or `right`")]
    OneBuild(BuildId),
    /// Tables went away.
    #[error("tables were dropped before they were read (builds: {}); look which builds there are", list(.0))]
    Dropped(Vec<BuildId>),
    /// The builds do not come to one position.
    #[error(transparent)]
    Meet(#[from] MeetError),
    /// Postgres fails.
    #[error("cannot read the builds' tables: {0}")]
    Postgres(#[from] sqlx::Error),
}

fn list(builds: &[BuildId]) -> String {
    builds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A build of a projection as it can be read.
#[derive(Debug)]
pub(super) struct Known {
    build: BuildId,
    version: ModuleVersion,
    status: Status,
    is_active: bool,
    verifies: bool,
    pub(super) tables: TableSet,
}

impl Known {
    fn compared(&self) -> ComparedBuild {
        ComparedBuild { build: self.build, version: self.version }
    }
}

impl Projector {
    /// Compares two builds of a projection at one position. Left is the active build unless it is named, right the newest other
    /// build that is of use.
    ///
    /// Builds that go on are brought to one position, which takes a moment; the comparison itself keeps nobody waiting. At most
    /// two run at once on a host, others wait for their turn.
    ///
    /// # Errors
    /// There are no such builds, they do not come to one position, or Postgres fails.
    pub async fn compare(
        &self,
        projection: &Identifier,
        left: Option<BuildId>,
        right: Option<BuildId>,
        options: CompareOptions,
    ) -> Result<Comparison, CompareError> {
        let builds = self.known_builds(projection).await?;
        let (left, right) = pick(projection, &builds, left, right)?;
        // Closed never.
        let _turn = self.shared.readings.acquire().await;
        let (snapshot, comparison) = self.compare_known(projection, left, right, options).await?;
        snapshot.close().await;
        Ok(comparison)
    }

    /// Brings two builds to one position and compares them in a snapshot, which is given back for more.
    pub(super) async fn compare_known(
        &self,
        projection: &Identifier,
        left: &Known,
        right: &Known,
        options: CompareOptions,
    ) -> Result<(Snapshot, Comparison), CompareError> {
        let mut snapshot = Snapshot::connect(&self.shared.queries).await?;
        let both = [left.build, right.build];
        let position = meet(&self.shared.pool, &mut snapshot, self.committed.clone(), both, options.patience).await?;
        let tables = compare(snapshot.connection(), &left.tables, &right.tables, options.samples)
            .await
            .map_err(|error| dropped_or(error, &both))?;
        let comparison = Comparison {
            projection: projection.clone(),
            position,
            left: left.compared(),
            right: right.compared(),
            identical: tables.iter().all(|table| table.identical),
            tables,
        };
        Ok((snapshot, comparison))
    }

    /// Hashes all that a build holds, where it stands now.
    ///
    /// # Errors
    /// There is no such build, its tables are gone, or Postgres fails.
    pub async fn content_hash(&self, build: BuildId) -> Result<BuildContent, CompareError> {
        let projection: Option<String> = sqlx::query_scalar("SELECT projection FROM gnomon.builds WHERE build = $1")
            .bind(build.0)
            .fetch_optional(&self.shared.pool)
            .await?;
        let projection = projection.ok_or(CompareError::NoSuchBuild(build))?;
        let projection = Identifier::new(projection).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let builds = self.known_builds(&projection).await?;
        let known = find(&projection, &builds, build)?;
        let _turn = self.shared.readings.acquire().await;
        let mut snapshot = Snapshot::connect(&self.shared.queries).await?;
        snapshot.begin().await?;
        let checkpoints = snapshot.checkpoints(&[build]).await?;
        let (_, position) = checkpoints.first().copied().ok_or(CompareError::NoSuchBuild(build))?;
        let hashes =
            content_hash(snapshot.connection(), &known.tables).await.map_err(|error| dropped_or(error, &[build]))?;
        snapshot.close().await;
        Ok(BuildContent { build, version: known.version, position, hashes })
    }

    /// The builds of a projection, newest first.
    pub(super) async fn known_builds(&self, projection: &Identifier) -> Result<Vec<Known>, CompareError> {
        let rows: Vec<(i64, i32, String, bool, bool, Json<Descriptor>)> = sqlx::query_as(
            "SELECT build, build.version, status, coalesce(build = active_build, false), verifies IS NOT NULL, descriptor
             FROM gnomon.projections AS projection
             JOIN gnomon.builds AS build ON build.projection = projection.name
             JOIN gnomon.module_versions AS module ON module.module = projection.name AND module.version = build.version
             WHERE projection.name = $1 ORDER BY build DESC",
        )
        .bind(projection.as_str())
        .fetch_all(&self.shared.pool)
        .await?;
        // A projection is entered with its first build.
        if rows.is_empty() {
            return Err(CompareError::NoProjection(projection.clone()));
        }
        let known = rows.into_iter().map(|(build, version, status, is_active, verifies, descriptor)| {
            let (build, version) = (BuildId(build), ModuleVersion::from_sql(version));
            let tables = tables_of(projection, version, build, descriptor.0)?;
            Ok(Known { build, version, status: Status::from_sql(&status), is_active, verifies, tables })
        });
        known.collect()
    }
}

/// The two builds to compare.
pub(super) fn pick<'k>(
    projection: &Identifier,
    builds: &'k [Known],
    left: Option<BuildId>,
    right: Option<BuildId>,
) -> Result<(&'k Known, &'k Known), CompareError> {
    let left = match left {
        Some(left) => find(projection, builds, left)?,
        None => {
            let active = builds.iter().find(|known| known.is_active);
            active.ok_or_else(|| CompareError::NoActiveBuild(projection.clone()))?
        }
    };
    let right = match right {
        Some(right) => find(projection, builds, right)?,
        None => {
            let of_use = |known: &&Known| {
                known.build != left.build
                    && !known.verifies
                    && !matches!(known.status, Status::Retired | Status::Failed)
            };
            let none = || CompareError::NoOtherBuild { projection: projection.clone(), left: left.build };
            builds.iter().find(of_use).ok_or_else(none)?
        }
    };
    if left.build == right.build {
        return Err(CompareError::OneBuild(left.build));
    }
    Ok((left, right))
}

fn find<'k>(projection: &Identifier, builds: &'k [Known], build: BuildId) -> Result<&'k Known, CompareError> {
    let found = builds.iter().find(|known| known.build == build).ok_or_else(|| CompareError::NoBuild {
        projection: projection.clone(),
        build,
        builds: builds.iter().map(|known| known.build).collect(),
    })?;
    if found.status == Status::Retired {
        return Err(MeetError::Retired(build).into());
    }
    Ok(found)
}

pub(super) fn dropped_or(error: sqlx::Error, builds: &[BuildId]) -> CompareError {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        // No such table, no such schema.
        Some("42P01" | "3F000") => CompareError::Dropped(builds.to_vec()),
        _ => error.into(),
    }
}
