//! What operators do with a projection: one transaction each, one at a time.
//!
//! Locks are taken in one order by everyone: the projection, then builds' progress by number, then builds.

use sqlx::{PgConnection, Postgres, Transaction};

use super::{
    BuildId, BuildState, Shared,
    build::{Phase, Status},
    history::{self, Change},
    lease, store,
    upcasters::PinnedUpcaster,
};
use crate::{
    event_log::Position,
    modules::{LoadError, ModuleVersion},
    read_model::Identifier,
    runtime::UpcasterConflict,
};

/// Why an operator's wish is not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The projection has no such build.
    #[error("projection `{projection}` has no build {build}")]
    NoBuild {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
    },
    /// The projection has no build that this could be done with.
    #[error("projection `{projection}` has no build to {action}: {reason}")]
    NoneFits {
        /// The projection.
        projection: Identifier,
        /// What was to be done.
        action: &'static str,
        /// What would be needed.
        reason: &'static str,
    },
    /// The build is not in a state for this.
    #[error("build {build} of projection `{projection}` is {state}: {reason}")]
    WrongState {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
        /// Its state.
        state: BuildState,
        /// Why that stands in the way, and what does not.
        reason: &'static str,
    },
    /// Readers have seen more than the build holds.
    #[error(
        "build {build} of projection `{projection}` is at position {checkpoint}, and queries have seen up to {seen}; it can be \
         activated when it has come as far"
    )]
    Behind {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
        /// How far it is.
        checkpoint: Position,
        /// How far the active build is.
        seen: Position,
    },
    /// Every event that is set aside is followed by later ones of its stream that were folded.
    #[error(
        "nothing was tried again: build {build} of projection `{projection}` has folded later events of the same streams as all \
         {letters} events that it has set aside, so they can only be folded out of order; rebuild the projection for the rows \
         that its log gives, or retry with `out_of_order=true`"
    )]
    Overtaken {
        /// The projection.
        projection: Identifier,
        /// The build.
        build: BuildId,
        /// The events that it has set aside.
        letters: u64,
    },
    /// There is no such upcaster, or it is not at work.
    #[error("there is no upcaster `{0}`, or it is not active")]
    NoUpcaster(Identifier),
    /// Upcasters do not fit together.
    #[error(transparent)]
    Upcasters(#[from] UpcasterConflict),
    /// The version does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Postgres fails.
    #[error("cannot change the projection: {0}")]
    Postgres(#[from] sqlx::Error),
}

/// A build as an operation finds it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) build: BuildId,
    pub(super) version: ModuleVersion,
    pub(super) phase: Phase,
    pub(super) status: Status,
    pub(super) activate_when_live: bool,
    /// The build that it was made to verify.
    pub(super) verifies: Option<BuildId>,
    pub(super) was_active: bool,
    pub(super) upcasters: Vec<PinnedUpcaster>,
    pub(super) is_active: bool,
}

impl Found {
    pub(super) fn state(&self) -> BuildState {
        BuildState::of(self.phase, self.status, self.is_active)
    }

    /// Whether queries could read it.
    pub(super) fn is_readable(&self) -> bool {
        self.verifies.is_none() && self.phase == Phase::Live && self.status != Status::Retired
    }
}

/// An operation under way. Nothing of it holds before [`Operation::commit`].
pub(super) struct Operation<'p> {
    shared: &'p Shared,
    projection: Identifier,
    transaction: Transaction<'static, Postgres>,
}

impl<'p> Operation<'p> {
    /// Begins, when no other operation on the projection is under way.
    pub(super) async fn begin(shared: &'p Shared, projection: &Identifier) -> Result<Self, OperateError> {
        Self::on(shared, shared.pool.begin().await?, projection).await
    }

    /// Begins as part of a transaction that has done other things before.
    pub(super) async fn on(
        shared: &'p Shared,
        mut transaction: Transaction<'static, Postgres>,
        projection: &Identifier,
    ) -> Result<Self, OperateError> {
        if !lock(&mut transaction, projection).await? {
            return Err(OperateError::NoProjection(projection.clone()));
        }
        Ok(Self { shared, projection: projection.clone(), transaction })
    }

    /// Begins with a projection that need not exist yet, as part of a transaction that has done other things before.
    pub(super) async fn on_new(
        shared: &'p Shared,
        mut transaction: Transaction<'static, Postgres>,
        projection: &Identifier,
    ) -> Result<Self, OperateError> {
        sqlx::query("INSERT INTO gnomon.projections (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1")
            .bind(projection.as_str())
            .execute(&mut *transaction)
            .await?;
        Ok(Self { shared, projection: projection.clone(), transaction })
    }

    pub(super) fn projection(&self) -> &Identifier {
        &self.projection
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The projection's builds, newest first.
    pub(super) async fn builds(&mut self) -> Result<Vec<Found>, OperateError> {
        Ok(store::builds_of(&mut self.transaction, &self.projection).await?)
    }

    /// The build of this number.
    pub(super) async fn build(&mut self, build: BuildId) -> Result<Found, OperateError> {
        let found = self.builds().await?.into_iter().find(|found| found.build == build);
        found.ok_or_else(|| OperateError::NoBuild { projection: self.projection.clone(), build })
    }

    /// The build of this number, or the active one, or the newest where none is active yet.
    pub(super) async fn build_or_active(&mut self, build: Option<BuildId>) -> Result<Found, OperateError> {
        if let Some(build) = build {
            return self.build(build).await;
        }
        let mut builds = self.builds().await?;
        builds.retain(|found| found.verifies.is_none() && found.status != Status::Retired);
        let place = builds.iter().position(|found| found.is_active).unwrap_or_default();
        if builds.is_empty() {
            return Err(self.none_fits("choose", "all of them are retired; deploy or rebuild the projection"));
        }
        Ok(builds.swap_remove(place))
    }

    pub(super) fn none_fits(&self, action: &'static str, reason: &'static str) -> OperateError {
        OperateError::NoneFits { projection: self.projection.clone(), action, reason }
    }

    pub(super) fn wrong_state(&self, found: &Found, reason: &'static str) -> OperateError {
        let (build, state) = (found.build, found.state());
        OperateError::WrongState { projection: self.projection.clone(), build, state, reason }
    }

    /// Notes a change of state.
    pub(super) async fn note(
        &mut self,
        build: Option<BuildId>,
        change: Change,
        cause: &str,
    ) -> Result<(), OperateError> {
        Ok(history::note(&mut self.transaction, &self.projection, build, change, cause).await?)
    }

    /// Takes the lease of builds away from whoever works on them: nothing more is written under it, and whoever takes it next
    /// finds what this operation changed.
    pub(super) async fn take_over(&mut self, builds: &[BuildId]) -> Result<(), OperateError> {
        Ok(lease::take_away(&mut self.transaction, builds).await?)
    }

    /// Takes the leases of all builds away.
    pub(super) async fn take_over_all(&mut self) -> Result<(), OperateError> {
        let builds: Vec<BuildId> = self.builds().await?.iter().map(|found| found.build).collect();
        self.take_over(&builds).await
    }

    /// Goes on with other things in the same transaction.
    pub(super) fn into_transaction(self) -> Transaction<'static, Postgres> {
        self.transaction
    }

    /// Makes it hold, and wakes who works on builds.
    pub(super) async fn commit(mut self) -> Result<(), OperateError> {
        store::notify(&mut self.transaction).await?;
        self.transaction.commit().await?;
        self.shared.look_again.notify_one();
        Ok(())
    }
}

/// Locks a projection for the rest of a transaction; answers whether there is one.
pub(super) async fn lock(connection: &mut PgConnection, projection: &Identifier) -> Result<bool, sqlx::Error> {
    let name: Option<String> = sqlx::query_scalar("SELECT name FROM gnomon.projections WHERE name = $1 FOR UPDATE")
        .bind(projection.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(name.is_some())
}

/// Sets whether a build is worked on, and forgets why it was not.
pub(super) async fn set_status(
    connection: &mut PgConnection,
    build: BuildId,
    status: Status,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.builds SET status = $2, error = NULL WHERE build = $1")
        .bind(build.0)
        .bind(status.as_sql())
        .execute(connection)
        .await?;
    Ok(())
}
