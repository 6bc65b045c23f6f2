//! Creates and drops the tables of a build.

use sqlx::{Executor, PgConnection, PgExecutor};

use super::{
    statements::join,
    tables::{Stored, TableSet},
};
use crate::{
    postgres::sqlstate::{UNDEFINED_OBJECT, has_sqlstate},
    read_model::{
        comment::comment,
        full_text,
        identifier::Identifier,
        table::{Column, IndexKind, Table},
        value::{ColumnType, sql_type},
    },
};

/// Why tables are not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The collation of case-insensitive columns does not exist.
    #[error(
        "table `{table}`: column `{column}` is {}, but this Postgres has no case-insensitive collation: it is built without ICU. Use \
         a Postgres with ICU, as most are, or declare the column as {}; see docs/postgres.md",
        ColumnType::CiText,
        ColumnType::Text
    )]
    NoCollation {
        /// The table.
        table: Identifier,
        /// Its first case-insensitive column.
        column: Identifier,
    },
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
}

impl CreateError {
    /// The collation is the only thing that a new table refers to by name.
    fn of(table: &Table, error: sqlx::Error) -> Self {
        let mut columns = table.columns().iter();
        match columns.find(|column| column.column_type == ColumnType::CiText) {
            Some(column) if has_sqlstate(&error, UNDEFINED_OBJECT) => {
                Self::NoCollation { table: table.name().clone(), column: column.name.clone() }
            }
            _ => Self::Postgres(error),
        }
    }
}

impl TableSet {
    /// Creates the schema and its tables, with their keys but without their indexes, so that a replay fills them faster.
    ///
    /// # Errors
    /// Postgres has no case-insensitive collation and a table needs it, or Postgres fails.
    pub async fn create(&self, connection: &mut PgConnection) -> Result<(), CreateError> {
        execute(connection, format!("CREATE SCHEMA {}", self.schema.quoted())).await?;
        for stored in &self.tables {
            let created = execute(connection, stored.create()).await;
            created.map_err(|error| CreateError::of(&stored.table, error))?;
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
