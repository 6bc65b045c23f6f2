//! Making and dropping the tables of a build.

use sqlx::{Executor, PgConnection};

use super::{
    statements::join,
    tables::{Stored, TableSet},
};
use crate::read_model::{
    table::{Column, Table},
    value::ColumnType,
};

impl TableSet {
    /// Makes the schema and its tables, with their keys and without their indexes: a replay fills them faster so.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn create(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        execute(connection, format!("CREATE SCHEMA {}", self.schema.quoted())).await?;
        for stored in &self.tables {
            execute(connection, stored.create()).await?;
        }
        // Only now: Postgres picks names for the keys' indexes that no table has, and a table may be called `a_pkey`.
        for stored in &self.tables {
            execute(connection, stored.add_key()).await?;
        }
        Ok(())
    }

    /// Adds the declared indexes to tables that were filled without them, and brings the planner's statistics up to date.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn add_indexes(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for stored in &self.tables {
            for index in stored.indexes() {
                execute(connection, index).await?;
            }
            execute(connection, format!("ANALYZE {}", stored.name)).await?;
        }
        Ok(())
    }

    /// Drops the schema with all that is in it, if it is there.
    ///
    /// # Errors
    /// Postgres fails, or something outside of the schema hangs on it.
    pub async fn drop(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for stored in &self.tables {
            execute(connection, format!("DROP TABLE IF EXISTS {}", stored.name)).await?;
        }
        execute(connection, format!("DROP SCHEMA IF EXISTS {}", self.schema.quoted())).await
    }
}

impl Stored {
    fn create(&self) -> String {
        let table = &self.table;
        let columns = join(
            table.columns().iter().enumerate().map(|(place, column)| {
                format!("{} {}", column.name.quoted(), column_definition(column, table.key().contains(&place)))
            }),
            ", ",
        );
        format!("CREATE TABLE {} ({columns})", self.name)
    }

    fn add_key(&self) -> String {
        let key = join(self.table.key_columns().map(|column| column.name.quoted()), ", ");
        format!("ALTER TABLE {} ADD PRIMARY KEY ({key})", self.name)
    }

    fn indexes(&self) -> impl Iterator<Item = String> {
        let column = |table: &Table, place: usize| table.columns()[place].name.quoted();
        self.table.indexes().iter().map(move |index| {
            let columns = join(index.columns.iter().map(|&place| column(&self.table, place)), ", ");
            format!("CREATE INDEX ON {} ({columns})", self.name)
        })
    }
}

fn column_definition(column: &Column, in_key: bool) -> String {
    // Keys are in the order of bytes, as everywhere else in the house, and faster to compare than in a language's order.
    let collation = if in_key && column.column_type == ColumnType::Text { " COLLATE \"C\"" } else { "" };
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{}{collation}{null}", column.column_type.sql())
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    // Safe: made of checked identifiers and our own words.
    connection.execute(statement.as_str()).await?;
    Ok(())
}
