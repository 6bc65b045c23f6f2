//! Changes to a projection's builds: one transaction, one at a time.
//!
//! Locks are taken in one order by everyone: the upcasters' table, projections by name, subscriptions by number, builds by
//! number. A worker, which has no business with the projection, begins at the subscription.

use std::sync::Arc;

use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};

use super::{
    build::{Build, BuildError, BuildId, NewBuild},
    history::{self, Change},
    state::{Effect, Event, Refused, State, transition},
    store, views,
};
use crate::{
    read_model::{Identifier, Table, TableSet},
    subscriptions::{self, Lease, OnFailure, SubscriptionId},
};

/// Why builds are not changed. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such projection.
    #[error("there is no projection `{0}`")]
    NoProjection(Identifier),
    /// The build is not in a state for this.
    #[error("build {} of projection `{}` is {}: {refused}", build.id, build.projection, super::state::BuildState::from(build.state))]
    Refused {
        /// The build.
        build: Box<Build>,
        /// Why not.
        refused: Refused,
    },
    /// Postgres fails.
    #[error("cannot change the projection: {0}")]
    Postgres(sqlx::Error),
}

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// Changes under way. Nothing of them holds before [`Changes::commit`].
pub(crate) struct Changes {
    projection: Identifier,
    transaction: Transaction<'static, Postgres>,
}

impl Changes {
    /// Begins, when no other change of the projection is under way.
    pub(crate) async fn begin(pool: &PgPool, projection: &Identifier) -> Result<Self, ChangeError> {
        Self::within(pool.begin().await?, projection).await
    }

    /// Begins as part of a transaction that has done other things before.
    pub(crate) async fn within(
        mut transaction: Transaction<'static, Postgres>,
        projection: &Identifier,
    ) -> Result<Self, ChangeError> {
        if !store::lock_projection(&mut transaction, projection).await? {
            return Err(ChangeError::NoProjection(projection.clone()));
        }
        Ok(Self { projection: projection.clone(), transaction })
    }

    /// Begins with a projection that need not exist yet, as part of a transaction that has done other things before.
    pub(crate) async fn within_new(
        mut transaction: Transaction<'static, Postgres>,
        projection: &Identifier,
    ) -> Result<Self, ChangeError> {
        store::enter_projection(&mut transaction, projection).await?;
        Ok(Self { projection: projection.clone(), transaction })
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The projection's builds, newest first.
    pub(crate) async fn builds(&mut self) -> Result<Vec<Build>, sqlx::Error> {
        Ok(store::of_projection(&mut *self.transaction, &self.projection).await?.unwrap_or_default())
    }

    /// Enters a new build and makes its tables.
    pub(crate) async fn begin_build(
        &mut self,
        new: &NewBuild,
        tables: &[Arc<Table>],
        cause: &str,
    ) -> Result<BuildId, sqlx::Error> {
        let build = store::insert(&mut self.transaction, &self.projection, new).await?;
        TableSet::new(build.schema(), tables).create(&mut self.transaction).await?;
        self.note(Some(build), Change::Begun, cause).await?;
        Ok(build)
    }

    /// Lets an event happen to a build; answers its state then.
    pub(crate) async fn apply(&mut self, build: BuildId, event: Event, cause: &str) -> Result<State, ChangeError> {
        let states = self.apply_all(&[build], event, cause).await?;
        // A build of this projection, which is locked, cannot have gone away.
        states.first().copied().ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Lets an event happen to builds; answers their states then, by number.
    pub(crate) async fn apply_all(
        &mut self,
        builds: &[BuildId],
        event: Event,
        cause: &str,
    ) -> Result<Vec<State>, ChangeError> {
        if event.revokes_leases() {
            let subscriptions: Vec<SubscriptionId> = builds.iter().map(|build| build.subscription()).collect();
            subscriptions::stand_still(&mut self.transaction, &subscriptions).await?;
        }
        let mut states = Vec::with_capacity(builds.len());
        for build in store::lock(&mut self.transaction, builds).await? {
            states.push(happen(&mut self.transaction, build, event, None, cause).await?);
        }
        Ok(states)
    }

    /// Gives builds up that were to become active before this one.
    pub(crate) async fn supersede_others(&mut self, build: BuildId) -> Result<(), ChangeError> {
        let builds = self.builds().await?;
        let waiting = builds.iter().filter(|other| other.id != build && other.state.activates_when_live());
        let waiting: Vec<BuildId> = waiting.map(|other| other.id).collect();
        self.apply_all(&waiting, Event::Superseded, &format!("build {build} takes its place")).await?;
        Ok(())
    }

    /// Sets what happens at events that the projection's module cannot handle. Whoever works on a build of it learns of it with
    /// the next lease.
    pub(crate) async fn set_on_failure(&mut self, on_failure: OnFailure) -> Result<(), sqlx::Error> {
        store::set_on_failure(&mut self.transaction, &self.projection, on_failure).await?;
        self.revoke_all().await?;
        let cause = format!("on_failure was set to {}", on_failure.as_str());
        self.note(None, Change::Configured, &cause).await
    }

    /// Deletes the projection with all its builds and their tables.
    pub(crate) async fn delete(&mut self) -> Result<(), sqlx::Error> {
        self.revoke_all().await?;
        if let Some(active) = store::active(&mut *self.transaction, &self.projection).await?.flatten() {
            views::drop_of(&mut self.transaction, &self.projection, &active.tables, |_| true).await?;
        }
        for build in self.builds().await? {
            drop_schema(&mut self.transaction, build.id).await?;
        }
        store::delete_projection(&mut self.transaction, &self.projection).await?;
        self.note(None, Change::Deleted, "an operator deleted the projection").await
    }

    async fn revoke_all(&mut self) -> Result<(), sqlx::Error> {
        let builds = self.builds().await?;
        let subscriptions: Vec<SubscriptionId> = builds.iter().map(|build| build.id.subscription()).collect();
        subscriptions::revoke(&mut self.transaction, &subscriptions).await
    }

    async fn note(&mut self, build: Option<BuildId>, change: Change, cause: &str) -> Result<(), sqlx::Error> {
        history::note(&mut self.transaction, &self.projection, build, change, cause).await
    }

    /// Goes on with other things in the same transaction.
    pub(crate) fn into_transaction(self) -> Transaction<'static, Postgres> {
        self.transaction
    }

    /// Makes it hold, and wakes who works on builds.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        store::notify(&mut self.transaction).await?;
        self.transaction.commit().await
    }
}

/// Why a worker's event does not happen to its build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TellError {
    /// Another host holds the lease, or did in between.
    #[error("the lease is lost")]
    Fenced,
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<sqlx::Error> for TellError {
    fn from(error: sqlx::Error) -> Self {
        Self::Change(error.into())
    }
}

/// Lets an event happen to a build, told by the worker that holds its lease, in the worker's transaction.
pub(crate) async fn tell(
    connection: &mut PgConnection,
    lease: Lease,
    event: Event,
    error: Option<&BuildError>,
    cause: &str,
) -> Result<State, TellError> {
    if !subscriptions::hold(connection, lease).await? {
        return Err(TellError::Fenced);
    }
    let build = store::lock(connection, &[lease.subscription.into()]).await?.pop().ok_or(TellError::Fenced)?;
    let state = happen(connection, build, event, error, cause).await?;
    store::notify(connection).await?;
    Ok(state)
}

/// Lets an event happen to a build that is locked, and does what has to be done.
pub(super) async fn happen(
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
    // Before the state: the schema has no error beside a state that has none.
    if effects.contains(&Effect::ClearError) {
        store::set_error(connection, id, None).await?;
    }
    if next != build.state {
        store::set_state(connection, id, next).await?;
    }
    for effect in effects {
        match effect {
            Effect::RevokeLease => subscriptions::revoke(connection, &[id.subscription()]).await?,
            Effect::KeepError => store::set_error(connection, id, error).await?,
            Effect::ClearError => {}
            Effect::StampActivated => store::stamp(connection, id, true).await?,
            Effect::StampReplaced => store::stamp(connection, id, false).await?,
            Effect::DropTables => {
                drop_schema(connection, id).await?;
                subscriptions::clear(connection, id.subscription()).await?;
            }
            Effect::Note => history::note(connection, &build.projection, Some(id), Change::of(event), cause).await?,
        }
    }
    Ok(next)
}

async fn drop_schema(connection: &mut PgConnection, build: BuildId) -> Result<(), sqlx::Error> {
    // Fail after 2 s instead of holding the projection's lock behind a long reader; it is tried again.
    connection.execute("SET LOCAL lock_timeout = '2s'").await?;
    // Safe: made of a number. Views of SQL users on the build's own tables go with them.
    let statement = format!("DROP SCHEMA IF EXISTS {} CASCADE", build.schema().quoted());
    connection.execute(statement.as_str()).await?;
    Ok(())
}
