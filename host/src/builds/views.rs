//! The views on the active builds' tables, for SQL users.

use sqlx::{Connection, Executor, PgConnection};

use super::store;
use crate::{
    postgres::sqlstate::{INVALID_TABLE_DEFINITION, has_sqlstate},
    read_model::{Identifier, TableSet},
    runtime::view_name,
};

/// Makes a projection's views show the tables of a build, and drops the views of tables that it does not have.
pub(super) async fn point_to(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
) -> Result<(), sqlx::Error> {
    let before = store::active(&mut *connection, projection).await?.found();
    for table in tables.tables() {
        let view = name(projection, table.name())?;
        let columns: Vec<String> = table.columns().iter().map(|column| column.name.quoted()).collect();
        let definition = format!(
            "VIEW read_models.{view} AS SELECT {} FROM {}.{}",
            columns.join(", "),
            tables.schema().quoted(),
            table.name().quoted(),
        );
        // CREATE OR REPLACE keeps the grants on a view and the views that users built on it, but it can only add columns.
        let mut inner = connection.begin().await?;
        match inner.execute(format!("CREATE OR REPLACE {definition}").as_str()).await {
            Ok(_) => inner.commit().await?,
            Err(error) if is_column_mismatch(&error) => {
                inner.rollback().await?;
                connection.execute(format!("DROP VIEW read_models.{view}; CREATE {definition}").as_str()).await?;
            }
            Err(error) => return Err(error),
        }
    }
    let Some(before) = before else { return Ok(()) };
    drop_views(connection, projection, &before.tables, |table| tables.table(table.as_str()).is_none()).await
}

/// Drops the views of the tables for which `is_dropped` holds.
pub(super) async fn drop_views(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
    is_dropped: impl Fn(&Identifier) -> bool,
) -> Result<(), sqlx::Error> {
    for table in tables.tables().filter(|table| is_dropped(table.name())) {
        // Safe: the name is a checked identifier.
        let statement = format!("DROP VIEW IF EXISTS read_models.{}", name(projection, table.name())?);
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}

/// The quoted name of a table's view.
fn name(projection: &Identifier, table: &Identifier) -> Result<String, sqlx::Error> {
    let view = view_name(projection, table).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(view.quoted())
}

/// Whether a view cannot be replaced because its columns differ.
fn is_column_mismatch(error: &sqlx::Error) -> bool {
    has_sqlstate(error, INVALID_TABLE_DEFINITION)
}
