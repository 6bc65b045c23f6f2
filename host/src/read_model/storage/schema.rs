//! Creates and drops the tables of a build.

use sqlx::{Executor, PgConnection, PgExecutor};

use super::{
    statements::join,
    tables::{Stored, TableSet},
};
use crate::read_model::{
    comment::comment,
    full_text,
    table::{Column, IndexKind},
    value::{ColumnType, sql_type},
};

impl TableSet {
    /// Creates the schema and its tables, with their keys but without their indexes, so that a replay fills them faster.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn create(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        execute(connection, format!("CREATE SCHEMA {}", self.schema.quoted())).await?;
        for stored in &self.tables {
            execute(connection, stored.create()).await?;
            comment(connection, "TABLE", &stored.name, stored.table.description(), &stored.table).await?;
        }
        // After all tables: Postgres then picks names for the indexes of the keys that no table has, such as `a_pkey`.
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

    /// The first of the tables that does not exist, if one does not.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn missing(&self, connection: impl PgExecutor<'_>) -> Result<Option<String>, sqlx::Error> {
        let names: Vec<&str> = self.tables.iter().map(|stored| stored.name.as_str()).collect();
        sqlx::query_scalar(
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name LIMIT 1",
        )
        .bind(names)
        .fetch_optional(connection)
        .await
    }

    /// Drops the schema and its tables, if they exist.
    ///
    /// # Errors
    /// Postgres fails, or an object outside of the schema depends on it.
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
            table.columns().iter().enumerate().map(|(column_index, column)| {
                format!("{} {}", column.name.quoted(), column_definition(column, table.key().contains(&column_index)))
            }),
            ", ",
        );
        format!("CREATE TABLE {} ({columns})", self.name)
    }

    fn add_key(&self) -> String {
        let key = join(self.table.key_columns().map(|column| column.name.quoted()), ", ");
        format!("ALTER TABLE {} ADD PRIMARY KEY ({key})", self.name)
    }

    /// Statements that create the declared indexes.
    fn indexes(&self) -> impl Iterator<Item = String> {
        self.table.indexes().iter().map(|index| {
            let columns =
                |columns: &[usize]| join(columns.iter().map(|&index| self.table.columns()[index].name.quoted()), ", ");
            match &index.kind {
                IndexKind::Btree(its) => format!("CREATE INDEX ON {} ({})", self.name, columns(its)),
                IndexKind::Gin(its) => format!("CREATE INDEX ON {} USING gin ({})", self.name, columns(its)),
                IndexKind::FullText { .. } => {
                    let words = full_text::words(&self.table, index, "");
                    format!("CREATE INDEX ON {} USING gin (({words}))", self.name)
                }
            }
        })
    }
}

fn column_definition(column: &Column, in_key: bool) -> String {
    // Keys are ordered by their bytes, as in the rest of the host, which is also faster to compare than a language's order.
    let collation = match column.column_type {
        ColumnType::Text if in_key => " COLLATE \"C\"",
        ColumnType::CiText => " COLLATE gnomon.case_insensitive",
        _ => "",
    };
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{}{collation}{null}", sql_type(column.column_type))
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    // Safe: made of checked identifiers and constant text.
    connection.execute(statement.as_str()).await?;
    Ok(())
}
