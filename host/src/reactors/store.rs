//! Reactors in Postgres. All SQL on them is here and in the files that write one part of them.

use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{
    reactor::{Reactor, ReactorId},
    state::Work,
};
use crate::{
    event_log::Position,
    modules::ModuleVersion,
    postgres::sql_row,
    read_model::{Identifier, TableDeclaration},
    subscriptions::{OnFailure, Redelivery, Retrying, StopError, insert_at},
};

struct ReactorRow {
    reactor: ReactorId,
    name: Identifier,
    version: ModuleVersion,
    lineage: Uuid,
    upcasters: Json<Vec<(Identifier, ModuleVersion)>>,
    began_after: Position,
    tables: Json<Vec<TableDeclaration>>,
    work: Work,
}

sql_row!(ReactorRow { reactor, name, version, lineage, upcasters, began_after, tables, work });

impl ReactorRow {
    fn reactor(self) -> Reactor {
        let Self { reactor: id, name, version, lineage, upcasters, began_after, tables, work } = self;
        Reactor { id, name, version, lineage, upcasters: upcasters.0, began_after, tables: tables.0, work }
    }
}

macro_rules! select_reactor {
    ($rest:literal) => {
        concat!(
            "SELECT reactor, name, version, lineage, upcasters, began_after, tables, work FROM gnomon.reactors ",
            $rest
        )
    };
}

/// The reactor of this name.
pub(crate) async fn get(connection: impl PgExecutor<'_>, name: &Identifier) -> Result<Option<Reactor>, sqlx::Error> {
    let row: Option<ReactorRow> =
        sqlx::query_as(select_reactor!("WHERE name = $1")).bind(name).fetch_optional(connection).await?;
    Ok(row.map(ReactorRow::reactor))
}

/// Every reactor, in the order in which their subscriptions are locked.
pub(crate) async fn all(connection: impl PgExecutor<'_>) -> Result<Vec<Reactor>, sqlx::Error> {
    let rows: Vec<ReactorRow> = sqlx::query_as(select_reactor!("ORDER BY reactor")).fetch_all(connection).await?;
    Ok(rows.into_iter().map(ReactorRow::reactor).collect())
}

/// Locks a reactor until the transaction ends. Its subscription has to be locked before.
pub(super) async fn lock(connection: &mut PgConnection, reactor: ReactorId) -> Result<Option<Reactor>, sqlx::Error> {
    let row: Option<ReactorRow> = sqlx::query_as(select_reactor!("WHERE reactor = $1 FOR NO KEY UPDATE"))
        .bind(reactor)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(ReactorRow::reactor))
}

/// The reactors that are to be worked on.
pub(crate) async fn running(connection: impl PgExecutor<'_>) -> Result<Vec<ReactorId>, sqlx::Error> {
    sqlx::query_scalar("SELECT reactor FROM gnomon.reactors WHERE work = 'running' ORDER BY reactor")
        .fetch_all(connection)
        .await
}

/// What is to be done with a reactor, read by the holder of its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) reactor: Reactor,
    pub(crate) on_failure: OnFailure,
    /// The dead letters that are to be tried again.
    pub(crate) retrying: Option<Retrying>,
}

struct JobRow {
    on_failure: OnFailure,
    retrying: Option<Redelivery>,
    retried_to: Position,
    row: ReactorRow,
}

sql_row!(JobRow { on_failure, retrying, retried_to, ..row });

/// What is to be done with a reactor; `None` if it is not running.
pub(crate) async fn job(connection: &mut PgConnection, reactor: ReactorId) -> Result<Option<Job>, sqlx::Error> {
    let row: Option<JobRow> = sqlx::query_as(
        "SELECT reactor, name, version, lineage, upcasters, began_after, tables, work, on_failure, retrying, retried_to
         FROM gnomon.reactors JOIN gnomon.subscriptions ON subscription = reactor
         WHERE reactor = $1 AND work = 'running'",
    )
    .bind(reactor)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|JobRow { on_failure, retrying, retried_to, row }| {
        let retrying = retrying.map(|redelivery| Retrying { redelivery, after: retried_to });
        Job { reactor: row.reactor(), on_failure, retrying }
    }))
}

/// What a reactor does at an event that it cannot handle.
pub(crate) async fn on_failure(connection: impl PgExecutor<'_>, reactor: ReactorId) -> Result<OnFailure, sqlx::Error> {
    let found = sqlx::query_scalar("SELECT on_failure FROM gnomon.reactors WHERE reactor = $1");
    Ok(found.bind(reactor).fetch_optional(connection).await?.unwrap_or_default())
}

/// Locks a module until the transaction ends, so that nobody else begins its reactor.
pub(super) async fn lock_module(connection: &mut PgConnection, name: &Identifier) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT FROM gnomon.modules WHERE name = $1 FOR NO KEY UPDATE").bind(name).execute(connection).await?;
    Ok(())
}

/// Inserts a reactor that begins behind a position, without tables. There is none of this name, and the caller has locked the module.
pub(super) async fn insert(
    connection: &mut PgConnection,
    name: &Identifier,
    version: ModuleVersion,
    began_after: Position,
) -> Result<ReactorId, sqlx::Error> {
    let subscription = insert_at(connection, began_after).await?;
    sqlx::query(
        "INSERT INTO gnomon.reactors (reactor, name, version, began_after, tables) VALUES ($1, $2, $3, $4, '[]')",
    )
    .bind(subscription)
    .bind(name)
    .bind(version)
    .bind(began_after)
    .execute(connection)
    .await?;
    Ok(subscription.into())
}

/// Sets the version that works, the upcasters that its events go through, and the tables that are there then.
pub(super) async fn set_version(
    connection: &mut PgConnection,
    reactor: ReactorId,
    version: ModuleVersion,
    upcasters: &[(Identifier, ModuleVersion)],
    tables: &[TableDeclaration],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.reactors SET version = $2, upcasters = $3, tables = $4, activated_at = clock_timestamp()
         WHERE reactor = $1",
    )
    .bind(reactor)
    .bind(version)
    .bind(Json(upcasters))
    .bind(Json(tables))
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets the upcasters that its events go through.
pub(super) async fn set_upcasters(
    connection: &mut PgConnection,
    reactor: ReactorId,
    upcasters: &[(Identifier, ModuleVersion)],
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.reactors SET upcasters = $2 WHERE reactor = $1")
        .bind(reactor)
        .bind(Json(upcasters))
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets the state, and why it stopped if an error stopped it.
pub(super) async fn set_work(
    connection: &mut PgConnection,
    reactor: ReactorId,
    work: Work,
    error: Option<&StopError>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE gnomon.reactors SET work = $2, error = CASE WHEN $2 IN ('halted', 'failed') THEN coalesce($3, error) END
         WHERE reactor = $1",
    )
    .bind(reactor)
    .bind(work)
    .bind(error.map(Json))
    .execute(connection)
    .await?;
    Ok(())
}

/// Sets what happens at events that the module cannot handle.
pub(super) async fn set_on_failure(
    connection: &mut PgConnection,
    reactor: ReactorId,
    on_failure: OnFailure,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.reactors SET on_failure = $2 WHERE reactor = $1")
        .bind(reactor)
        .bind(on_failure)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes a reactor with its subscription, its dead letters and its schedules.
pub(super) async fn delete(connection: &mut PgConnection, reactor: ReactorId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM gnomon.subscriptions WHERE subscription = $1").bind(reactor).execute(connection).await?;
    Ok(())
}
