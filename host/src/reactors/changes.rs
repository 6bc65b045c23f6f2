//! What may be changed about a reactor, each in a transaction that the caller has begun.
//!
//! Locks are taken in one order: subscriptions, then reactors, then their tables. Whatever an operator changes takes the lease away, so that the
//! next holder reads what is to be done.

use sqlx::PgConnection;

use super::{
    history::{Change, note},
    reactor::{Reactor, ReactorId},
    state::{Event, Refused, Work},
    store,
};
use crate::{
    modules::ModuleVersion,
    postgres::{Blocked, LockError, gave_up_waiting},
    read_model::{Extension, Identifier},
    subscriptions::{self, HoldError, Lease, LeaseLost, OnFailure, StopError},
};

/// Why a reactor is not changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such reactor.
    #[error("there is no reactor `{0}`")]
    NoReactor(Identifier),
    /// It is not in a state for this.
    #[error("reactor `{name}` is {work}: {refused}")]
    Refused {
        /// The reactor.
        name: Identifier,
        /// Its state.
        work: Work,
        /// Why not.
        refused: Refused,
    },
    /// Somebody else holds a lock that the change needs.
    #[error("cannot change the reactor: {0}")]
    Blocked(Blocked),
    /// Postgres fails.
    #[error("cannot change the reactor: {0}")]
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

impl From<sqlx::Error> for ChangeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Postgres(error)
    }
}

/// How the work on a reactor ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// Its module cannot handle an event.
    Halted(StopError),
    /// It cannot go on, and its module is not the reason.
    Failed(StopError),
}

/// Why the end of the work is not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    LeaseLost(#[from] LeaseLost),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

/// Lets something happen to a reactor, and notes it in the history. When the transaction is committed, no commit of those who worked on it before
/// comes any more.
pub(crate) async fn change(
    connection: &mut PgConnection,
    name: &Identifier,
    event: Event,
    cause: &str,
) -> Result<Reactor, ChangeError> {
    let reactor = apply(connection, name, event).await?;
    note(connection, name, reactor.version, event.into(), cause).await?;
    Ok(reactor)
}

/// The same, for those who note it themselves.
pub(super) async fn apply(
    connection: &mut PgConnection,
    name: &Identifier,
    event: Event,
) -> Result<Reactor, ChangeError> {
    let mut reactor = hold(connection, name).await?;
    let work = event.after(reactor.work);
    let refused = |refused| ChangeError::Refused { name: name.clone(), work: reactor.work, refused };
    let work = work.map_err(refused)?;
    store::set_work(connection, reactor.id, work, None).await?;
    reactor.work = work;
    Ok(reactor)
}

/// Sets what happens at events that the module cannot handle.
pub(crate) async fn set_on_failure(
    connection: &mut PgConnection,
    name: &Identifier,
    on_failure: OnFailure,
) -> Result<(), ChangeError> {
    let cause = format!("on_failure was set to {}", on_failure.as_str());
    let reactor = change(connection, name, Event::Configured, &cause).await?;
    Ok(store::set_on_failure(connection, reactor.id, on_failure).await?)
}

/// Lets the events of a reactor go through these upcasters, from the first one on that it has not handled. Whether it is worked on stays as it is.
pub(crate) async fn set_upcasters(
    connection: &mut PgConnection,
    name: &Identifier,
    upcasters: &[(Identifier, ModuleVersion)],
    cause: &str,
) -> Result<(), ChangeError> {
    let reactor = apply(connection, name, Event::Configured).await?;
    note(connection, name, reactor.version, Change::Upcasters, cause).await?;
    Ok(store::set_upcasters(connection, reactor.id, upcasters).await?)
}

/// Deletes a reactor with its rows, its schedules and its dead letters. What it has appended and sent stays.
pub(crate) async fn delete(connection: &mut PgConnection, name: &Identifier) -> Result<(), ChangeError> {
    let reactor = hold(connection, name).await?;
    note(connection, name, reactor.version, Change::Deleted, "an operator deleted the reactor").await?;
    Extension::drop_all(connection, reactor.id.schema(), &reactor.tables).await?;
    Ok(store::delete(connection, reactor.id).await?)
}

/// Stores how the work ended, if the lease is held.
pub(crate) async fn report(connection: &mut PgConnection, lease: Lease, report: &Report) -> Result<(), ReportError> {
    subscriptions::hold(connection, lease).await.map_err(|error| match error {
        HoldError::LeaseLost(lost) => ReportError::from(lost),
        HoldError::Postgres(error) => error.into(),
    })?;
    let reactor = ReactorId::from(lease.subscription);
    let (event, error) = match report {
        Report::Halted(error) => (Event::Halted, error),
        Report::Failed(error) => (Event::Failed, error),
    };
    // An operator who has changed it has taken the lease away.
    let found = store::lock(connection, reactor).await?.ok_or(LeaseLost)?;
    let work = event.after(found.work).map_err(|_| LeaseLost)?;
    note(connection, &found.name, found.version, event.into(), &error.to_string()).await?;
    Ok(store::set_work(connection, reactor, work, Some(error)).await?)
}

/// Takes the lease of a reactor away, and locks it.
pub(super) async fn hold(connection: &mut PgConnection, name: &Identifier) -> Result<Reactor, ChangeError> {
    let none = || ChangeError::NoReactor(name.clone());
    let found = store::get(&mut *connection, name).await?.ok_or_else(none)?;
    subscriptions::revoke(connection, &[found.id.subscription()]).await?;
    // It may have been changed until its subscription was locked, or deleted.
    store::lock(connection, found.id).await?.ok_or_else(none)
}
