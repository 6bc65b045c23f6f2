//! The views on the active builds' tables, for SQL users.

use sqlx::{Connection, Executor, PgConnection};

use super::store;
use crate::{
    postgres::sqlstate::{INVALID_TABLE_DEFINITION, has_sqlstate},
    read_model::{Identifier, TableSet},
    runtime::view_name,
};

/// Puts a projection's views on the tables of a build, and drops those of tables that it does not have.
pub(super) async fn point(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
) -> Result<(), sqlx::Error> {
    let before = store::active(&mut *connection, projection).await?.flatten();
    for table in tables.tables() {
        let view = name(projection, table.name())?;
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
    let Some(before) = before else { return Ok(()) };
    drop_of(connection, projection, &before.tables, |table| tables.table(table.as_str()).is_none()).await
}

/// Drops the views of some tables.
pub(super) async fn drop_of(
    connection: &mut PgConnection,
    projection: &Identifier,
    tables: &TableSet,
    which: impl Fn(&Identifier) -> bool,
) -> Result<(), sqlx::Error> {
    for table in tables.tables().filter(|table| which(table.name())) {
        // Safe: a checked identifier.
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
fn is_other_shape(error: &sqlx::Error) -> bool {
    has_sqlstate(error, INVALID_TABLE_DEFINITION)
}
