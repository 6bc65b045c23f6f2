//! Comparing two builds of a projection.

use std::time::Duration;

use super::Operations;
use crate::{
    builds::{
        AlignError, Build, BuildName, BuildNumber, DefaultBuild, PickError, Snapshot, State, align, list,
        of_projection, pick, tables,
    },
    event_log::Position,
    modules::ModuleVersion,
    postgres::{Blocked, gave_up_waiting, is_missing_table, lock_holders},
    read_model::{
        Identifier, TableSet,
        compare::{TableComparison, compare},
    },
};

/// Options of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// The largest number of rows to show of each kind of difference, for each table.
    pub samples: usize,
    /// How long to wait until the builds are at one position.
    pub timeout: Duration,
}

/// What two builds of a projection hold at one position.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The projection.
    pub projection: Identifier,
    /// Both builds hold the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The left build, the one before.
    pub left: ComparedBuild,
    /// The right build, the one after.
    pub right: ComparedBuild,
    /// Whether they hold the same tables with the same rows.
    pub identical: bool,
    /// Each table.
    pub tables: Vec<TableComparison>,
}

/// A build that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedBuild {
    /// Its number.
    pub build: BuildNumber,
    /// The version that it materialises.
    pub version: ModuleVersion,
}

/// Why two builds are not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The projection has no build of this number.
    #[error(transparent)]
    Pick(#[from] PickError),
    /// The request does not name the left build, and none is active.
    #[error("projection `{0}` has no active build yet; name the builds to compare, `left` and `right`")]
    NoActiveBuild(Identifier),
    /// There is no second build.
    #[error(
        "projection `{projection}` has no other build to compare build {left} with; deploy another version of it, or rebuild it"
    )]
    NoOtherBuild {
        /// The projection.
        projection: Identifier,
        /// The left build.
        left: BuildNumber,
    },
    /// Left and right are the same build.
    #[error("build {0} is on both sides; name another build as `left` or `right`")]
    OneBuild(BuildNumber),
    /// Tables were dropped in the meantime.
    #[error("tables were dropped before they were read: {}; list the builds and compare others", list(.0))]
    Dropped(Vec<BuildName>),
    /// The builds cannot be brought to one position.
    #[error(transparent)]
    Align(#[from] AlignError),
    /// Somebody else has locked a table of theirs.
    #[error("cannot read the builds' tables: {0}")]
    Blocked(Blocked),
    /// Postgres fails.
    #[error("cannot read the builds' tables: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for CompareError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// A build, and the tables that its version describes.
pub(super) struct BuildTables {
    pub(super) build: Build,
    pub(super) tables: TableSet,
}

impl Operations {
    /// Compares two builds of a projection at one position. If the request does not name them, left is the active build, and right
    /// the newest other build that can be compared.
    ///
    /// Running builds are held until both are at one position, and go on while they are compared. A host runs at most two
    /// comparisons at once; others wait for their turn.
    ///
    /// # Errors
    /// There are no such builds, they cannot be brought to one position, or Postgres fails.
    pub async fn compare(
        &self,
        projection: &Identifier,
        left: Option<BuildNumber>,
        right: Option<BuildNumber>,
        options: CompareOptions,
    ) -> Result<Comparison, CompareError> {
        let [left, right] = self.builds_to_compare(projection, left, right).await?;
        // Never an error: the semaphore is never closed.
        let _turn = self.full_reads.acquire().await;
        let (snapshot, comparison) = self.compare_in_snapshot(&left, &right, options).await?;
        snapshot.close().await;
        Ok(comparison)
    }

    /// The two builds to compare.
    async fn builds_to_compare(
        &self,
        projection: &Identifier,
        left: Option<BuildNumber>,
        right: Option<BuildNumber>,
    ) -> Result<[BuildTables; 2], CompareError> {
        let builds = of_projection(&self.pool, projection).await?;
        let builds = builds.ok_or_else(|| CompareError::NoProjection(projection.clone()))?;
        let left = match pick(projection, &builds, left, DefaultBuild::Active) {
            Err(PickError::NoneFits { .. }) => Err(CompareError::NoActiveBuild(projection.clone())),
            picked => Ok(picked?),
        }?;
        let right = match pick(projection, &builds, right, DefaultBuild::ToCompareWith(left.id)) {
            Err(PickError::NoneFits { .. }) => {
                Err(CompareError::NoOtherBuild { projection: projection.clone(), left: left.number })
            }
            picked => Ok(picked?),
        }?;
        if left.id == right.id {
            return Err(CompareError::OneBuild(left.number));
        }
        Ok([self.with_tables(left).await?, self.with_tables(right).await?])
    }

    pub(super) async fn with_tables(&self, build: &Build) -> Result<BuildTables, CompareError> {
        if build.state == State::Retired {
            return Err(AlignError::Retired(build.name()).into());
        }
        Ok(BuildTables { build: build.clone(), tables: tables(&self.pool, build).await? })
    }

    /// Brings two builds to one position and compares them in a snapshot there. Returns the snapshot, so that more can be read in it.
    pub(super) async fn compare_in_snapshot(
        &self,
        left: &BuildTables,
        right: &BuildTables,
        options: CompareOptions,
    ) -> Result<(Snapshot, Comparison), CompareError> {
        let mut snapshot = Snapshot::connect(&self.pool).await?;
        let both = [&left.build, &right.build];
        let position = align(&self.pool, &mut snapshot, self.committed.clone(), both, options.timeout).await?;
        let tables = match compare(snapshot.connection(), &left.tables, &right.tables, options.samples).await {
            Ok(tables) => tables,
            Err(error) => return Err(self.reading_failed(error, both).await),
        };
        let compared = |one: &BuildTables| ComparedBuild { build: one.build.number, version: one.build.version };
        let comparison = Comparison {
            projection: left.build.projection.clone(),
            position,
            left: compared(left),
            right: compared(right),
            identical: tables.iter().all(|table| table.identical),
            tables,
        };
        Ok((snapshot, comparison))
    }

    /// The error of a statement that reads the tables of builds, which may be dropped, or locked.
    pub(super) async fn reading_failed(&self, error: sqlx::Error, builds: [&Build; 2]) -> CompareError {
        if is_missing_table(&error) {
            return CompareError::Dropped(builds.map(Build::name).to_vec());
        }
        if !gave_up_waiting(&error) {
            return error.into();
        }
        let mut by = Vec::new();
        for build in builds {
            // If this fails, it is not known who it is.
            by.extend(lock_holders(&self.pool, Some(build.id.schema().as_str())).await.unwrap_or_default());
        }
        by.sort_by_key(|blocker| blocker.pid);
        by.dedup_by_key(|blocker| blocker.pid);
        CompareError::Blocked(Blocked { by })
    }
}
