//! Changes to a projection's builds, each in one transaction, one at a time.
//!
//! All transactions take locks in one order: the beginning of past builds, the upcasters' table, projections by name, subscriptions by key, builds by key, and then
//! views and the tables of builds. One that changes several projections locks all of them before it changes the first. A worker changes
//! nothing of the projection and begins with the subscription. The caller begins the transaction, and decides how long it waits for locks.

use std::sync::Arc;

use sqlx::{Executor, PgConnection, Postgres, Transaction};

use super::{
    build::{Build, BuildError, BuildId, NewBuild},
    history::{self, Change},
    limits::{BuildLimits, TooManyBuilds},
    number::BuildName,
    on_failure::set_on_failure,
    past,
    state::{Effect, Event, Refused, Stage, State, transition},
    store::{self, Marks},
    views::{self, ViewError, ViewInUse},
};
use crate::{
    event_log::Position,
    postgres::{Blocked, LockError, gave_up_waiting},
    read_model::{CreateError, Identifier, Table, TableSet},
    subscriptions::{self, HoldError, Lease, LeaseLost, OnFailure, SubscriptionId},
};

/// Why builds are not changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The build is not in a state for this.
    #[error("{} of projection `{}` is {}: {refused}", build.name(), build.projection, build.word())]
    Refused {
        /// The build.
        build: Box<Build>,
        /// Why not.
        refused: Refused,
    },
    /// A user's view depends on a view that must be dropped.
    #[error(transparent)]
    ViewInUse(#[from] ViewInUse),
    /// Somebody else holds a lock that the change needs.
    #[error("cannot change the projection: {0}")]
    Blocked(Blocked),
    /// Postgres fails.
    #[error("cannot change the projection: {0}")]
    Postgres(sqlx::Error),
}

impl LockError for ChangeError {
    fn is_of_a_lock(&self) -> bool {
        matches!(self, Self::Postgres(error) if gave_up_waiting(error))
    }

    fn blocked(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

/// Why a build is not begun. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    #[error(transparent)]
    TooMany(#[from] TooManyBuilds),
    #[error(transparent)]
    Tables(#[from] CreateError),
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<sqlx::Error> for BeginError {
    fn from(error: sqlx::Error) -> Self {
        Self::Change(error.into())
    }
}

impl From<ViewError> for ChangeError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::InUse(view) => view.into(),
            ViewError::Postgres(error) => error.into(),
        }
    }
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// Changes in an open transaction. None of them takes effect before [`Changes::commit`].
pub(crate) struct Changes {
    projection: Identifier,
    transaction: Transaction<'static, Postgres>,
}

impl Changes {
    /// For tests: begins a transaction as well.
    #[cfg(test)]
    pub(crate) async fn begin(pool: &sqlx::PgPool, projection: &Identifier) -> Result<Self, ChangeError> {
        Self::within(crate::postgres::begin(pool).await?, projection).await
    }

    /// Locks the projection in a transaction that the caller has begun; waits for other changes of the projection to end.
    pub(crate) async fn within(
        mut transaction: Transaction<'static, Postgres>,
        projection: &Identifier,
    ) -> Result<Self, ChangeError> {
        if !store::lock_projection(&mut transaction, projection).await? {
            return Err(ChangeError::NoProjection(projection.clone()));
        }
        Ok(Self { projection: projection.clone(), transaction })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The projection's builds, newest first.
    pub(crate) async fn builds(&mut self) -> Result<Vec<Build>, sqlx::Error> {
        Ok(store::of_projection(&mut *self.transaction, &self.projection).await?.unwrap_or_default())
    }

    /// Inserts a new build and creates its tables. If it is to become active by itself, others that were to are superseded.
    pub(crate) async fn begin_build(
        &mut self,
        new: &NewBuild,
        tables: &[Arc<Table>],
        limits: BuildLimits,
        cause: &str,
    ) -> Result<Build, BeginError> {
        let supersedes = new.state().activates_when_live();
        // As `Event::Superseded` has it.
        let goes = |other: &Build| {
            let replays = other.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
            supersedes && replays && other.state.activates_when_live()
        };
        let builds = self.builds().await?;
        if new.stop_at().is_none() {
            limits.check(&self.projection, &builds, new.verifies().is_some(), goes)?;
        }
        let build = store::insert(&mut self.transaction, &self.projection, new).await?;
        TableSet::new(build.id.schema(), tables).create(&mut self.transaction).await?;
        self.note(Some(build.name()), Change::Begun, cause).await?;
        if supersedes {
            self.supersede_others(&build).await?;
        }
        Ok(build)
    }

    /// Applies an event to a build and returns its new state.
    pub(crate) async fn apply(&mut self, build: BuildId, event: Event, cause: &str) -> Result<State, ChangeError> {
        let states = self.apply_all(&[build], event, cause).await?;
        // The projection is locked, so none of its builds can be deleted.
        states.first().copied().ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Applies an event to builds and returns their new states, by key.
    pub(crate) async fn apply_all(
        &mut self,
        builds: &[BuildId],
        event: Event,
        cause: &str,
    ) -> Result<Vec<State>, ChangeError> {
        if event.revokes_leases() {
            let subscriptions: Vec<SubscriptionId> = builds.iter().map(|build| build.subscription()).collect();
            subscriptions::lock_checkpoints(&mut self.transaction, &subscriptions).await?;
        }
        let mut states = Vec::with_capacity(builds.len());
        for build in store::lock(&mut self.transaction, builds).await? {
            states.push(apply_event(&mut self.transaction, build, event, None, cause).await?);
        }
        Ok(states)
    }

    /// Keeps the other builds from becoming active: those that have not caught up are retired.
    pub(crate) async fn supersede_others(&mut self, build: &Build) -> Result<(), ChangeError> {
        let builds = self.builds().await?;
        let waiting = builds.iter().filter(|other| other.id != build.id && other.state.activates_when_live());
        let waiting: Vec<BuildId> = waiting.map(|other| other.id).collect();
        let cause = format!("{} becomes the active one instead", build.name());
        self.apply_all(&waiting, Event::Superseded, &cause).await?;
        Ok(())
    }

    /// Sets what happens at events that the projection's module cannot handle, and revokes the leases of its builds: the next
    /// holders read the new setting.
    pub(crate) async fn set_on_failure(&mut self, on_failure: OnFailure) -> Result<(), sqlx::Error> {
        set_on_failure(&mut self.transaction, &self.projection, on_failure).await?;
        self.revoke_all().await?;
        let cause = format!("on_failure was set to {}", on_failure.as_str());
        self.note(None, Change::Configured, &cause).await
    }

    /// Deletes the projection with all its builds and their tables.
    pub(crate) async fn delete(&mut self) -> Result<(), ChangeError> {
        self.revoke_all().await?;
        if let Some(active) = store::active(&mut *self.transaction, &self.projection).await?.found() {
            views::drop_views(&mut self.transaction, &self.projection, &active.tables, |_| true).await?;
        }
        for build in self.all_builds().await? {
            drop_schema(&mut self.transaction, build).await?;
        }
        store::delete_projection(&mut self.transaction, &self.projection).await?;
        Ok(self.note(None, Change::Deleted, "an operator deleted the projection").await?)
    }

    async fn revoke_all(&mut self) -> Result<(), sqlx::Error> {
        let builds = self.all_builds().await?;
        let subscriptions: Vec<SubscriptionId> = builds.into_iter().map(BuildId::subscription).collect();
        subscriptions::revoke(&mut self.transaction, &subscriptions).await
    }

    /// The projection's builds and its past builds.
    async fn all_builds(&mut self) -> Result<Vec<BuildId>, sqlx::Error> {
        let past = past::past_of_projection(&mut *self.transaction, &self.projection).await?;
        Ok(self.builds().await?.into_iter().map(|build| build.id).chain(past).collect())
    }

    async fn note(&mut self, build: Option<BuildName>, change: Change, cause: &str) -> Result<(), sqlx::Error> {
        history::note(&mut self.transaction, &self.projection, build, change, cause).await
    }

    /// Returns the transaction, for other changes in it.
    pub(crate) fn into_transaction(self) -> Transaction<'static, Postgres> {
        self.transaction
    }

    /// Commits, and wakes the supervisors of all hosts.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        store::notify(&mut self.transaction).await?;
        self.transaction.commit().await
    }
}

/// What a worker reports about its build.
#[derive(Clone, Debug)]
pub(crate) enum WorkerReport {
    /// Its tables hold every event of the log, up to this position, and have their indexes.
    CaughtUp(Position),
    /// Its module cannot handle an event, or too many events are set aside.
    Halted(BuildError),
    /// It cannot go on, and its module is not the reason.
    Failed(BuildError),
    /// Queries cannot turn to it, for a reason that is not transient.
    ActivationFailed(BuildError),
}

impl WorkerReport {
    fn event(&self) -> Event {
        match self {
            Self::CaughtUp(_) => Event::CaughtUp,
            Self::Halted(_) => Event::Halted,
            Self::Failed(_) => Event::Failed,
            Self::ActivationFailed(_) => Event::ActivationFailed,
        }
    }

    fn error(&self) -> Option<&BuildError> {
        match self {
            Self::CaughtUp(_) => None,
            Self::Halted(error) | Self::Failed(error) | Self::ActivationFailed(error) => Some(error),
        }
    }

    fn cause(&self) -> String {
        match self {
            Self::CaughtUp(checkpoint) => format!("it holds every event up to position {checkpoint}"),
            Self::Halted(error) | Self::Failed(error) | Self::ActivationFailed(error) => error.to_string(),
        }
    }
}

/// Why a worker's report changes nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<sqlx::Error> for ReportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Change(error.into())
    }
}

impl From<HoldError> for ReportError {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::LeaseLost(lost) => lost.into(),
            HoldError::Postgres(error) => error.into(),
        }
    }
}

/// Applies a worker's report to its build, in the worker's transaction, if the worker holds the lease. Returns the new state.
pub(crate) async fn report(
    connection: &mut PgConnection,
    lease: Lease,
    report: &WorkerReport,
) -> Result<State, ReportError> {
    subscriptions::hold(connection, lease).await?;
    let build = store::lock(connection, &[lease.subscription.into()]).await?.pop().ok_or(LeaseLost)?;
    let state = apply_event(connection, build, report.event(), report.error(), &report.cause()).await?;
    store::notify(connection).await?;
    Ok(state)
}

/// Applies an event to a build that is locked, with all its effects, and returns the new state.
pub(super) async fn apply_event(
    connection: &mut PgConnection,
    build: Build,
    event: Event,
    error: Option<&BuildError>,
    cause: &str,
) -> Result<State, ChangeError> {
    let (next, effects) = match transition(build.state, event) {
        Ok(transition) => transition,
        Err(refused) => return Err(ChangeError::Refused { build: Box::new(build), refused }),
    };
    let id = build.id;
    let has = |effect: Effect| effects.contains(&effect);
    let marks = Marks {
        sets_error: has(Effect::KeepError) || has(Effect::ClearError),
        error: error.filter(|_| has(Effect::KeepError)),
        is_activated: has(Effect::StampActivated),
        is_replaced: has(Effect::StampReplaced),
    };
    if !has(Effect::Delete) && (next != build.state || marks != Marks::default()) {
        store::set_state(connection, id, next, &marks).await?;
    }
    if has(Effect::RevokeLease) {
        subscriptions::revoke(connection, &[id.subscription()]).await?;
    }
    if has(Effect::DropTables) {
        drop_schema(connection, id).await?;
        subscriptions::clear(connection, id.subscription()).await?;
    }
    if has(Effect::Delete) {
        store::delete(connection, id).await?;
    }
    if has(Effect::Note) {
        history::note(connection, &build.projection, Some(build.name()), Change::of(event), cause).await?;
    }
    Ok(next)
}

async fn drop_schema(connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
    // Who reads the tables from now on waits behind this: not for long.
    connection.execute("SET LOCAL lock_timeout = '2s'").await?;
    // Safe: the name is made of a number. Views of SQL users on the build's own tables are dropped with it.
    let statement = format!("DROP SCHEMA IF EXISTS {} CASCADE", build.schema().quoted());
    connection.execute(statement.as_str()).await?;
    Ok(())
}
