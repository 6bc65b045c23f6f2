//! Proving that a build is a function of the events: it is built again, aside, and compared.

use sqlx::PgConnection;

use super::{
    Operations,
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison, dropped_or},
    error::OperateError,
};
use crate::{
    builds::{
        Activation, BuildId, ChangeError, Changes, Meant, NewBuild, Refused, Stage, Verifies, of_projection, pick,
    },
    event_log::Position,
    read_model::{ContentHash, Identifier, compare::TableComparison, content_hash},
    subscriptions::{self, Batches},
};

/// Events that the module gets at most at once when a build is verified. It gets one first, then two, and so on, so that the
/// batches are fewer than the events however few there are. Together with fresh memory for each batch, which such a build
/// gives its module as well, this brings out what a module keeps in memory that it must not.
const BATCH_EVENTS: usize = 251;

/// The result of verifying a build.
#[derive(Clone, Debug)]
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
    /// Why they do not, as far as the host can tell; none if they do.
    pub cause: Option<Cause>,
    /// The batches of the build that was made for it, each with fresh memory. With one batch or none nothing is shown of what
    /// the module keeps from one batch to the next.
    pub batches: Batches,
    /// The hash of what both hold; none if they differ.
    pub content_hash: Option<ContentHash>,
    /// Each table; left is the build that was verified.
    pub tables: Vec<TableComparison>,
}

/// Why a build differs from one that was made to verify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The build holds dead letters that were folded behind later events, by a retry.
    OutOfOrder,
    /// The two have set aside different events.
    DeadLetters,
    /// The module: it keeps something in memory from one batch to the next, or depends on how events are batched.
    Module,
}

impl Operations {
    /// Begins to verify a build, the active one if none is named: answers a build of the same version that goes through the
    /// same upcasters, which is filled aside with other batches. When it is live, [`Self::verification`] tells the result.
    ///
    /// # Errors
    /// There is no such build, it has not caught up yet, its version does not run here, or Postgres fails.
    pub async fn verify(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let build = pick(name, &changes.builds().await?, build, Meant::ActiveOrNewest)?.clone();
        if !build.state.is_readable() {
            let refused = if build.verifies.is_some() { Refused::Verifies } else { Refused::Replaying };
            return Err(ChangeError::Refused { build: Box::new(build), refused }.into());
        }
        let module = self.modules.load_projection(name, build.version).await?;
        let new = NewBuild {
            version: build.version,
            upcasters: build.upcasters,
            activation: Activation::Manual,
            verifies: Some(Verifies { build: build.id, batch_events: BATCH_EVENTS }),
        };
        let cause = format!("an operator asked to verify build {}", build.id);
        let by = changes.begin_build(&new, module.tables(), &cause).await?;
        changes.commit().await?;
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
        let builds = of_projection(&self.pool, name).await.map_err(CompareError::from)?;
        let builds = builds.ok_or_else(|| CompareError::NoProjection(name.clone()))?;
        let found = pick(name, &builds, Some(by), Meant::Active).map_err(CompareError::from)?;
        let Some(verifies) = found.verifies else { return Err(VerifyError::DoesNotVerify(found.id)) };
        if found.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying) {
            let refused = ChangeError::Refused { build: Box::new(found.clone()), refused: Refused::Replaying };
            return Err(VerifyError::Operate(refused.into()));
        }
        let [left, right] = self.sides(name, Some(verifies.build), Some(by)).await?;
        let _turn = self.full_reads.acquire().await;
        let (mut snapshot, comparison) = self.compare_sides(&left, &right, options).await?;
        let Comparison { projection, position, left: verified, right: by, identical, tables } = comparison;
        let connection = snapshot.connection();
        let (mut hash, mut cause) = (None, None);
        if identical {
            let hashes = content_hash(connection, &left.tables).await;
            hash = Some(hashes.map_err(|error| dropped_or(error, &[verified.build]))?.hash);
        } else {
            cause = Some(cause_of(connection, verified.build, by.build, position).await.map_err(CompareError::from)?);
        }
        let batches = subscriptions::batches(connection, by.build.subscription()).await.map_err(CompareError::from)?;
        snapshot.close().await;
        Ok(Verification { projection, position, verified, by, identical, cause, batches, content_hash: hash, tables })
    }
}

/// Why a build differs from the one that was made to verify it, in the snapshot in which they were compared.
async fn cause_of(
    connection: &mut PgConnection,
    verified: BuildId,
    by: BuildId,
    position: Position,
) -> Result<Cause, sqlx::Error> {
    let (verified, by) = (verified.subscription(), by.subscription());
    if subscriptions::out_of_order(connection, verified).await? > 0 {
        return Ok(Cause::OutOfOrder);
    }
    let differ = subscriptions::differ(connection, verified, by, position).await?;
    Ok(if differ { Cause::DeadLetters } else { Cause::Module })
}

/// Why there is no [`Verification`].
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The build is not one whose result can be told.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// The build was made for something else.
    #[error("build {0} was not made to verify another one")]
    DoesNotVerify(BuildId),
    /// The builds cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
}
