//! The swap: which build queries read.

use sqlx::{Executor, PgConnection, PgPool};

use super::build::BuildId;
use crate::{
    event_log::Position,
    read_model::{Identifier, TableSet},
    runtime::view_name,
};

/// What came of trying to make a build the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// Queries read it now.
    Done,
    /// The build that queries read is further; what a reader has seen must not be followed by something older.
    Behind,
    /// It is not in a state to be read.
    NotReady,
}

/// Makes a build the active one, if it is at least as far as the one that is.
pub(super) async fn activate(
    pool: &PgPool,
    projection: &Identifier,
    build: BuildId,
    tables: &TableSet,
) -> Result<Activation, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let active: Option<i64> =
        sqlx::query_scalar("SELECT active_build FROM gnomon.projections WHERE name = $1 FOR UPDATE")
            .bind(projection.as_str())
            .fetch_one(&mut *transaction)
            .await?;
    let ready: Option<bool> = sqlx::query_scalar(
        "SELECT phase = 'live' AND status <> 'retired' FROM gnomon.builds WHERE build = $1 FOR UPDATE",
    )
    .bind(build.0)
    .fetch_optional(&mut *transaction)
    .await?;
    if ready != Some(true) {
        return Ok(Activation::NotReady);
    }
    if active != Some(build.0) {
        let (own, other) = checkpoints(&mut transaction, build, active.map(BuildId)).await?;
        if own < other {
            return Ok(Activation::Behind);
        }
        point_views(&mut transaction, projection, tables).await?;
    }
    sqlx::query(
        "WITH pointed AS (UPDATE gnomon.projections SET active_build = $2 WHERE name = $1)
         UPDATE gnomon.builds SET activate_when_live = false WHERE build = $2",
    )
    .bind(projection.as_str())
    .bind(build.0)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("SELECT pg_notify('gnomon_builds', '')").execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Activation::Done)
}

/// The checkpoints of two builds, which stand still until the transaction ends.
async fn checkpoints(
    connection: &mut PgConnection,
    build: BuildId,
    active: Option<BuildId>,
) -> Result<(Position, Position), sqlx::Error> {
    // Both rows at once and in one order, as everyone locks them: no two swaps can wait for each other.
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT build, checkpoint FROM gnomon.build_progress WHERE build = $1 OR build = $2 ORDER BY build FOR UPDATE",
    )
    .bind(build.0)
    .bind(active.map(|active| active.0))
    .fetch_all(connection)
    .await?;
    let of = |wanted: BuildId| rows.iter().find(|(build, _)| *build == wanted.0).map(|(_, checkpoint)| *checkpoint);
    let own = of(build).map(Position::from_sql).unwrap_or_default();
    let other = active.and_then(of).map(Position::from_sql).unwrap_or_default();
    Ok((own, other))
}

/// Puts the projection's views on the tables of a build.
async fn point_views(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
) -> Result<(), sqlx::Error> {
    for table in tables.tables() {
        let view = view_name(projection, table.name()).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let columns: Vec<String> = table.columns().iter().map(|column| column.name.quoted()).collect();
        let statement = format!(
            "DROP VIEW IF EXISTS read_models.{view}; CREATE VIEW read_models.{view} AS SELECT {columns} FROM {schema}.{table}",
            view = view.quoted(),
            columns = columns.join(", "),
            schema = tables.schema().quoted(),
            table = table.name().quoted(),
        );
        // Safe: made of checked identifiers.
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}
