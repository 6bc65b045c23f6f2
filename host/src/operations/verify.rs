//! Verifying that a build is a function of the events: its version is built again, and the two builds are compared.

use sqlx::PgConnection;

use super::{
    Operations,
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison},
    error::OperateError,
};
use crate::{
    builds::{
        BuildNumber, ChangeError, Changes, DefaultBuild, NewBuild, NewBuildPurpose, Refused, Stage, Verifies,
        find_verification, of_projection, pick,
    },
    event_log::Position,
    read_model::{ContentHash, Identifier, compare::TableComparison, content_hash},
    subscriptions::{self, Batches, SubscriptionId},
};

/// The largest batch of a build that verifies another one. Its first batch has one event, the next two, and so on, so that even
/// few events come in several batches. As each batch has fresh memory in such a build, a module whose rows depend on what it
/// keeps in memory, or on how events are batched, gives other rows.
const BATCH_EVENTS: usize = 251;

/// The result of verifying a build.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The projection.
    pub projection: Identifier,
    /// Both builds hold the effect of every event up to this position, and of none behind.
    pub position: Position,
    /// The number of the verification.
    pub verification: BuildNumber,
    /// The build that was verified.
    pub verified: ComparedBuild,
    /// Whether they hold the same rows.
    pub outcome: VerificationOutcome,
    /// The batches of the build that was made for it, each with fresh memory. If there are fewer than two, the verification does not
    /// show whether the module keeps something from one batch to the next.
    pub batches: Batches,
    /// Each table; left is the build that was verified.
    pub tables: Vec<TableComparison>,
}

/// Whether a build and the one that was made to verify it hold the same rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerificationOutcome {
    /// They do.
    Identical {
        /// The hash of the rows.
        content_hash: ContentHash,
    },
    /// They do not.
    Different {
        /// Why, as far as the host can tell.
        cause: Cause,
    },
}

/// Why a build differs from one that was made to verify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A retry has folded dead letters of the build after later events.
    OutOfOrder,
    /// The two have set different events aside.
    DeadLetters,
    /// The module's rows depend on what it keeps in memory from one batch to the next, or on how events are batched.
    Module,
}

impl Operations {
    /// Starts to verify a build, or the active one if none is named: begins a build of the same version with the same upcasters,
    /// which gets its events in other batches. Returns the numbers of the verification and of the build that is verified. When the
    /// new build is live, [`Self::verification`] returns the result.
    ///
    /// # Errors
    /// There is no such build, it has not caught up yet, its version does not run here, or Postgres fails.
    pub async fn verify(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
    ) -> Result<(BuildNumber, BuildNumber), OperateError> {
        // Before the transaction, since a version may have to be compiled.
        let builds = of_projection(&self.pool, name).await?;
        let builds = builds.ok_or_else(|| ChangeError::NoProjection(name.clone()))?;
        let build = pick(name, &builds, build, DefaultBuild::ActiveOrNewest)?.clone();
        let module = self.modules.load_projection(name, build.version).await?;
        let (transaction, locks) = self.begin().await?;
        let begun = locks.explain(async {
            let mut changes = Changes::within(transaction, name).await?;
            let build = pick(name, &changes.builds().await?, Some(build.number), DefaultBuild::ActiveOrNewest)?.clone();
            if !build.state.is_readable() {
                let refused = if build.state.kept().is_some() { Refused::Replaying } else { Refused::Retired };
                return Err(ChangeError::Refused { build: Box::new(build), refused }.into());
            }
            let new = NewBuild {
                version: build.version,
                upcasters: build.upcasters.clone(),
                purpose: NewBuildPurpose::Verify(Verifies { build: build.id, batch_events: BATCH_EVENTS }),
            };
            let cause = format!("an operator asked to verify {}", build.name());
            let by = changes.begin_build(&new, module.tables(), self.settings.limits, &cause).await?;
            changes.commit().await?;
            Ok((by.number, build.number))
        });
        begun.await
    }

    /// Compares a build with the one that was made to verify it.
    ///
    /// # Errors
    /// There is no such verification, its build has not caught up yet, the two cannot be brought to one position, or Postgres fails.
    pub async fn verification(
        &self,
        name: &Identifier,
        verification: BuildNumber,
        options: CompareOptions,
    ) -> Result<Verification, VerifyError> {
        let builds = of_projection(&self.pool, name).await.map_err(CompareError::from)?;
        let builds = builds.ok_or_else(|| CompareError::NoProjection(name.clone()))?;
        let found = find_verification(name, &builds, verification).map_err(CompareError::from)?;
        let verified = builds.iter().find(|build| Some(build.id) == found.verifies.map(|verifies| verifies.build));
        // Builds are deleted with their projection only, all at once.
        let verified = verified.ok_or_else(|| CompareError::NoProjection(name.clone()))?;
        if found.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying) {
            let refused = match found.state.is_running() {
                true => Refused::Replaying,
                false => Refused::StoppedVerification,
            };
            return Err(VerifyError::Operate(ChangeError::Refused { build: Box::new(found.clone()), refused }.into()));
        }
        let [left, right] = [self.with_tables(verified).await?, self.with_tables(found).await?];
        let _turn = self.full_reads.acquire().await;
        let (mut snapshot, comparison) = self.compare_in_snapshot(&left, &right, options).await?;
        let Comparison { projection, position, left: verified, right: _, identical, tables } = comparison;
        let connection = snapshot.connection();
        let outcome = if identical {
            let hashes = match content_hash(connection, &left.tables).await {
                Ok(hashes) => hashes,
                Err(error) => return Err(self.reading_failed(error, [&left.build, &right.build]).await.into()),
            };
            VerificationOutcome::Identical { content_hash: hashes.hash }
        } else {
            let [verified, by] = [&left, &right].map(|one| one.build.id.subscription());
            let cause = cause_of(connection, verified, by, position).await.map_err(CompareError::from)?;
            VerificationOutcome::Different { cause }
        };
        let by = right.build.id.subscription();
        let batches = subscriptions::batches(connection, by).await.map_err(CompareError::from)?;
        snapshot.close().await;
        Ok(Verification { projection, position, verification, verified, outcome, batches, tables })
    }
}

/// Looks for the cause of a difference, in the snapshot in which the builds were compared.
async fn cause_of(
    connection: &mut PgConnection,
    verified: SubscriptionId,
    by: SubscriptionId,
    position: Position,
) -> Result<Cause, sqlx::Error> {
    if subscriptions::out_of_order(connection, verified).await? > 0 {
        return Ok(Cause::OutOfOrder);
    }
    let differ = subscriptions::dead_letters_differ(connection, verified, by, position).await?;
    Ok(if differ { Cause::DeadLetters } else { Cause::Module })
}

/// Why there is no [`Verification`].
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The build has no result yet.
    #[error(transparent)]
    Operate(#[from] OperateError),
    /// The builds cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
}
