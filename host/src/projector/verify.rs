//! Proving that a build is a function of the events: it is built again, aside, and compared.

use serde::Serialize;

use super::{
    BuildId, Projector,
    build::Phase,
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison},
    operation::{OperateError, Operation},
    store::NewBuild,
};
use crate::{
    event_log::Position,
    read_model::{ContentHash, Identifier, compare::TableComparison},
};

/// Events that the module gets at once when a build is verified. Together with fresh memory for each batch, which such a build
/// gives its module as well, it brings out what a module keeps in memory that it must not.
const BATCH_EVENTS: usize = 251;

/// What came of verifying a build.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The projection.
    pub projection: Identifier,
    /// Both builds hold the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The build that was verified.
    pub verified: ComparedBuild,
    /// The build that was made for it.
    pub by: ComparedBuild,
    /// Whether they hold the same rows.
    pub identical: bool,
    /// The hash of what both hold; none if they differ.
    pub content_hash: Option<ContentHash>,
    /// Each table; left is the build that was verified.
    pub tables: Vec<TableComparison>,
}

impl Projector {
    /// Begins to verify a build, the active one if none is named: answers a build of the same version that goes through the
    /// same upcasters, which is filled aside with other batches. When it is live, [`Self::verification`] tells the result.
    ///
    /// # Errors
    /// There is no such build, it has not caught up yet, its version does not run here, or Postgres fails.
    pub async fn verify(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build_or_active(build).await?;
        if !found.is_readable() {
            return Err(operation.wrong_state(&found, "only a build that has caught up can be verified"));
        }
        let module = self.shared.modules.load_projection(name, found.version).await?;
        let new = NewBuild::to_verify(&found, BATCH_EVENTS);
        let cause = format!("an operator asked to verify build {}", found.build);
        let by = operation.begin_build(new, module.tables(), &cause).await?;
        operation.commit().await?;
        Ok(by)
    }

    /// Compares a build with the one that was made to verify it.
    ///
    /// # Errors
    /// There is no such build, it was not made to verify another one or has not caught up yet, the two do not come to one
    /// position, or Postgres fails.
    pub async fn verification(
        &self,
        name: &Identifier,
        by: BuildId,
        options: CompareOptions,
    ) -> Result<Verification, VerifyError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build(by).await?;
        let Some(verified) = found.verifies else {
            return Err(operation.wrong_state(&found, "it was not made to verify another one").into());
        };
        if found.phase == Phase::Replaying {
            return Err(operation.wrong_state(&found, "it has not caught up yet").into());
        }
        drop(operation);
        let (comparison, content_hash) = self.compare_and_hash(name, verified, by, options).await?;
        let Comparison { projection, position, left, right, identical, tables } = comparison;
        Ok(Verification { projection, position, verified: left, by: right, identical, content_hash, tables })
    }
}

/// Why there is no [`Verification`].
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The build is not one whose result can be told.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// The builds cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
}
