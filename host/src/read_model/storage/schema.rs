//! Creates and drops the tables of a build.

use sqlx::{Executor, PgConnection, PgExecutor};

use super::{
    statements::{collation, join},
    tables::{Stored, TableSet},
};
use crate::{
    postgres::{
        own_by_hosts,
        sqlstate::{UNDEFINED_OBJECT, has_sqlstate},
    },
    read_model::{
        comment::comment,
        full_text,
        identifier::Identifier,
        table::{Column, Index, IndexKind, Table},
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
    pub(super) fn of(table: &Table, error: sqlx::Error) -> Self {
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
        own_by_hosts(&mut *connection).await?;
        execute(connection, format!("CREATE SCHEMA {}", self.schema.quoted())).await?;
        self.create_tables(connection).await
    }

    /// Creates the tables in a schema that is there.
    pub(super) async fn create_tables(&self, connection: &mut PgConnection) -> Result<(), CreateError> {
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

    /// Adds one index to its table, unless it is there, with the rows that are committed. Waits for whoever writes to the table.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn add_index(
        &self,
        connection: &mut PgConnection,
        table: &Table,
        index: &Index,
    ) -> Result<(), sqlx::Error> {
        execute(connection, self.stored(table).add_index(index)).await
    }

    /// Adds the declared indexes that are not there to tables that were filled without them, and brings the planner's statistics up to date.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn add_indexes(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for stored in &self.tables {
            for index in stored.table.indexes() {
                execute(connection, stored.add_index(index)).await?;
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

    /// The statement that creates a declared index. Postgres picks its name, so that it is that of no table.
    fn add_index(&self, index: &Index) -> String {
        let name = &self.name;
        let columns =
            |columns: &[usize]| join(columns.iter().map(|&index| self.table.columns()[index].name.quoted()), ", ");
        match &index.kind {
            IndexKind::Btree(its) => self.add_btree(its, &columns(its)),
            IndexKind::Gin(its) => format!("CREATE INDEX ON {name} USING gin ({})", columns(its)),
            IndexKind::FullText { .. } => {
                let words = full_text::words(&self.table, index, "");
                format!("CREATE INDEX ON {name} USING gin (({words}))")
            }
        }
    }

    /// A B-tree may be there: a replay makes the one that it searches by. It is known by its columns, and the lock lets one worker after the
    /// other look for it.
    fn add_btree(&self, columns: &[usize], names: &str) -> String {
        let name = &self.name;
        // Columns are created in their order and never dropped, and Postgres counts them from 1.
        let numbers = join(columns.iter().map(|index| (index + 1).to_string()), " ");
        format!(
            "DO $$ BEGIN
                 LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE;
                 IF NOT EXISTS (
                     SELECT FROM pg_index AS its JOIN pg_class AS c ON c.oid = its.indexrelid JOIN pg_am AS kind ON kind.oid = c.relam
                     WHERE its.indrelid = '{name}'::regclass AND kind.amname = 'btree' AND its.indisvalid AND NOT its.indisprimary
                       AND its.indkey::text = '{numbers}' AND its.indnatts = its.indnkeyatts AND its.indpred IS NULL
                 ) THEN
                     CREATE INDEX ON {name} ({names});
                 END IF;
             END $$"
        )
    }
}

pub(super) fn column_definition(column: &Column, in_key: bool) -> String {
    let collation = collation(column.column_type, in_key);
    let null = if column.nullable { "" } else { " NOT NULL" };
    format!("{}{collation}{null}", sql_type(column.column_type))
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    // Safe: made of checked identifiers and constant text.
    connection.execute(statement.as_str()).await?;
    Ok(())
}
