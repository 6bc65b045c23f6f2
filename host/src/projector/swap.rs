//! The swap: which build queries read.

use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgDatabaseError};

use super::{
    build::BuildId,
    history::{self, Change},
    operation, store,
};
use crate::{
    event_log::Position,
    read_model::{Identifier, TableSet},
    runtime::{Descriptor, view_name},
};

/// What came of trying to make a build the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    /// Queries read it now.
    Done,
    /// The build that queries read is further; what a reader has seen must not be followed by something older.
    Behind {
        /// How far the build is.
        checkpoint: Position,
        /// How far the active one is.
        seen: Position,
    },
    /// It is not in a state to be read.
    NotReady,
}

/// How often the checkpoint of a build is looked at that is about to take over.
const POLL: Duration = Duration::from_millis(2);

/// Makes a build the active one, in one transaction, if it is at least as far as the one that is. If it is not, the active one
/// is kept where it is, for up to `patience`, until the other has come as far.
pub(super) async fn swap(
    pool: &PgPool,
    projection: &Identifier,
    build: BuildId,
    tables: &TableSet,
    cause: &str,
    patience: Duration,
) -> Result<Swapped, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // Whoever reads a view in a long transaction does not keep all others waiting behind the swap.
    transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
    if !operation::lock(&mut transaction, projection).await? {
        return Ok(Swapped::NotReady);
    }
    let builds = store::builds_of(&mut transaction, projection).await?;
    let active = builds.iter().find(|found| found.is_active).map(|found| found.build);
    if !builds.iter().any(|found| found.build == build && found.is_readable()) {
        return Ok(Swapped::NotReady);
    }
    if active != Some(build) {
        if let Some(active) = active {
            // From here on the active build stands still.
            let seen = hold(&mut transaction, active).await?;
            let checkpoint = wait_for(&mut transaction, build, seen, patience).await?;
            if checkpoint < seen {
                return Ok(Swapped::Behind { checkpoint, seen });
            }
        }
        point_views(&mut transaction, projection, tables).await?;
        point_queries(&mut transaction, projection, build, active, cause).await?;
    }
    // What kept it from becoming the active build before does so no longer. A build that is halted stays halted.
    sqlx::query(
        "UPDATE gnomon.builds
         SET activate_when_live = false, error = CASE WHEN status = 'running' THEN NULL ELSE error END WHERE build = $1",
    )
        .bind(build.0)
        .execute(&mut *transaction)
        .await?;
    store::notify(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Swapped::Done)
}

/// The checkpoint of a build, which stands still until the transaction ends.
async fn hold(connection: &mut PgConnection, build: BuildId) -> Result<Position, sqlx::Error> {
    sqlx::query_scalar("SELECT checkpoint FROM gnomon.build_progress WHERE build = $1 FOR UPDATE")
        .bind(build.0)
        .fetch_one(connection)
        .await
        .map(Position::from_sql)
}

/// Waits until a build has come to a position; answers how far it is.
async fn wait_for(
    connection: &mut PgConnection,
    build: BuildId,
    wanted: Position,
    patience: Duration,
) -> Result<Position, sqlx::Error> {
    let deadline = Instant::now() + patience;
    loop {
        let (checkpoint, running): (i64, bool) = sqlx::query_as(
            "SELECT checkpoint, status = 'running' FROM gnomon.build_progress JOIN gnomon.builds USING (build) WHERE build = $1",
        )
        .bind(build.0)
        .fetch_one(&mut *connection)
        .await?;
        let checkpoint = Position::from_sql(checkpoint);
        if checkpoint >= wanted || !running || Instant::now() >= deadline {
            return Ok(checkpoint);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Points the queries of the HTTP API to a build.
async fn point_queries(
    connection: &mut PgConnection,
    projection: &Identifier,
    build: BuildId,
    replaced: Option<BuildId>,
    cause: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE gnomon.projections SET active_build = $2 WHERE name = $1")
        .bind(projection.as_str())
        .bind(build.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE gnomon.builds
         SET activated_at = CASE WHEN build = $1 THEN clock_timestamp() ELSE activated_at END,
             replaced_at = CASE WHEN build = $1 THEN NULL ELSE clock_timestamp() END
         WHERE build = $1 OR build = $2",
    )
    .bind(build.0)
    .bind(replaced.map(|replaced| replaced.0))
    .execute(&mut *connection)
    .await?;
    history::note(connection, projection, Some(build), Change::Activated, cause).await?;
    if let Some(replaced) = replaced {
        let cause = format!("build {build} took its place");
        history::note(connection, projection, Some(replaced), Change::Replaced, &cause).await?;
    }
    Ok(())
}

/// Puts the projection's views on the tables of a build, and drops those of tables that it does not have.
async fn point_views(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
) -> Result<(), sqlx::Error> {
    for table in tables.tables() {
        let view = view_of(projection, table.name().as_str())?;
        let columns: Vec<String> = table.columns().iter().map(|column| column.name.quoted()).collect();
        let definition = format!(
            "VIEW read_models.{view} AS SELECT {} FROM {}.{}",
            columns.join(", "),
            tables.schema().quoted(),
            table.name().quoted(),
        );
        // Replaced, a view keeps its grants, and what users built upon it; but its columns may only grow.
        let mut inner = connection.begin().await?;
        match inner.execute(format!("CREATE OR REPLACE {definition}").as_str()).await {
            Ok(_) => inner.commit().await?,
            Err(error) if is_other_shape(&error) => {
                inner.rollback().await?;
                connection.execute(format!("DROP VIEW read_models.{view}; CREATE {definition}").as_str()).await?;
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(Descriptor::Projection(old)) = store::active_descriptor(connection, projection).await? {
        let gone = old.tables.into_iter().filter(|old| tables.table(&old.name).is_none());
        for table in gone {
            let view = view_of(projection, &table.name)?;
            connection.execute(format!("DROP VIEW IF EXISTS read_models.{view}").as_str()).await?;
        }
    }
    Ok(())
}

/// The quoted name of a table's view.
pub(super) fn view_of(projection: &Identifier, table: &str) -> Result<String, sqlx::Error> {
    let table = Identifier::new(table).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let view = view_name(projection, &table).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(view.quoted())
}

/// Whether a view cannot be replaced because its columns differ.
fn is_other_shape(error: &sqlx::Error) -> bool {
    const INVALID_TABLE_DEFINITION: &str = "42P16";
    let database = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    database.is_some_and(|error| error.code() == INVALID_TABLE_DEFINITION)
}
