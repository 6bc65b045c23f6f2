//! Comparing two builds of a projection.

use std::time::Duration;

use super::Operations;
use crate::{
    builds::{AlignError, Build, BuildId, Meant, PickError, Snapshot, State, align, list, of_projection, pick, tables},
    event_log::Position,
    modules::ModuleVersion,
    postgres::is_missing_table,
    read_model::{
        Identifier, TableSet,
        compare::{TableComparison, compare},
    },
};

/// How a comparison is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Rows of each kind of difference to show, for each table.
    pub samples: usize,
    /// How long to wait until the builds stand at one position.
    pub timeout: Duration,
}

/// What two builds of a projection hold at one position.
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedBuild {
    /// Its number.
    pub build: BuildId,
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
    Align(#[from] AlignError),
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
pub(super) struct Side {
    pub(super) build: Build,
    pub(super) tables: TableSet,
}

impl Operations {
    /// Compares two builds of a projection at one position. Left is the active build unless it is named, right the newest other
    /// build that can be compared.
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
        let [left, right] = self.sides(projection, left, right).await?;
        // Closed never.
        let _turn = self.full_reads.acquire().await;
        let (snapshot, comparison) = self.compare_sides(&left, &right, options).await?;
        snapshot.close().await;
        Ok(comparison)
    }

    /// The two builds to compare.
    pub(super) async fn sides(
        &self,
        projection: &Identifier,
        left: Option<BuildId>,
        right: Option<BuildId>,
    ) -> Result<[Side; 2], CompareError> {
        let builds = of_projection(&self.pool, projection).await?;
        let builds = builds.ok_or_else(|| CompareError::NoProjection(projection.clone()))?;
        let left = match pick(projection, &builds, left, Meant::Active) {
            Err(PickError::NoneFits { .. }) => Err(CompareError::NoActiveBuild(projection.clone())),
            picked => Ok(picked?),
        }?;
        let right = match pick(projection, &builds, right, Meant::ToCompareWith(left.id)) {
            Err(PickError::NoneFits { .. }) => {
                Err(CompareError::NoOtherBuild { projection: projection.clone(), left: left.id })
            }
            picked => Ok(picked?),
        }?;
        if left.id == right.id {
            return Err(CompareError::OneBuild(left.id));
        }
        Ok([self.side(left).await?, self.side(right).await?])
    }

    async fn side(&self, build: &Build) -> Result<Side, CompareError> {
        if build.state == State::Retired {
            return Err(AlignError::Retired(build.id).into());
        }
        Ok(Side { build: build.clone(), tables: tables(&self.pool, build).await? })
    }

    /// Brings two builds to one position and compares them in a snapshot, which is given back for more.
    pub(super) async fn compare_sides(
        &self,
        left: &Side,
        right: &Side,
        options: CompareOptions,
    ) -> Result<(Snapshot, Comparison), CompareError> {
        let mut snapshot = Snapshot::connect(&self.queries).await?;
        let both = [left.build.id, right.build.id];
        let position = align(&self.pool, &mut snapshot, self.committed.clone(), both, options.timeout).await?;
        let tables = compare(snapshot.connection(), &left.tables, &right.tables, options.samples)
            .await
            .map_err(|error| dropped_or(error, &both))?;
        let compared = |side: &Side| ComparedBuild { build: side.build.id, version: side.build.version };
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
}

pub(super) fn dropped_or(error: sqlx::Error, builds: &[BuildId]) -> CompareError {
    if is_missing_table(&error) { CompareError::Dropped(builds.to_vec()) } else { error.into() }
}
