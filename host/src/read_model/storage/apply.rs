//! Writes the changes of a batch.

use std::fmt::Write as _;

use sqlx::PgConnection;

use super::{
    cells::{Statement, bind_column},
    key_order::in_order_of_keys,
    statements::{self, Source},
    tables::{Stored, TableSet},
};
use crate::read_model::{
    table::Table,
    value::{Row, Value},
    write_set::{TableWrites, WriteSet},
};

/// Rows of one statement: enough to make the cost of the statement negligible, few enough to keep its arrays small.
const CHUNK: usize = 10_000;

impl TableSet {
    /// Writes and deletes rows, in the caller's transaction.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn apply(&self, connection: &mut PgConnection, writes: &WriteSet) -> Result<(), sqlx::Error> {
        for writes in writes.tables() {
            let stored = self.stored(writes.table());
            stored.delete_rows(connection, writes).await?;
            stored.write_rows(connection, &stored.insert, writes.written_if(true)).await?;
            stored.write_rows(connection, &stored.upsert, writes.written_if(false)).await?;
        }
        Ok(())
    }
}

impl TableSet {
    /// Parts of a statement that write and delete rows if its part `condition` has a row: each begins with a comma, and the first has the
    /// parameter `first`. `None` if there are too many rows for one statement.
    #[must_use]
    pub fn parts(&self, writes: &WriteSet, condition: &str, mut first: usize) -> Option<String> {
        let mut parts = String::new();
        for (index, writes) in writes.tables().iter().enumerate() {
            let (written, deleted) = (writes.written().count(), writes.deleted().count());
            if written + deleted > CHUNK {
                return None;
            }
            let Stored { name, table, .. } = self.stored(writes.table());
            let mut part = |prefix: &str, statement: fn(&str, &Table, Source<'_>) -> String, parameters: usize| {
                let source = Source { condition: Some(condition), first };
                let _ = write!(parts, ", {prefix}{index} AS ({})", statement(name, table, source));
                first += parameters;
            };
            if written > 0 {
                part("written", statements::upsert, table.columns().len());
            }
            if deleted > 0 {
                part("deleted", statements::delete, table.key().len());
            }
        }
        Some(parts)
    }

    /// How many parameters [`Self::parts`] have.
    #[must_use]
    pub fn parameters(writes: &WriteSet) -> usize {
        let of_table = |writes: &TableWrites| {
            let (is_written, is_deleted) = (writes.written().next().is_some(), writes.deleted().next().is_some());
            let table = writes.table();
            usize::from(is_written) * table.columns().len() + usize::from(is_deleted) * table.key().len()
        };
        writes.tables().iter().map(of_table).sum()
    }

    /// Binds the parameters of [`Self::parts`].
    pub fn bind_parts<'q>(mut statement: Statement<'q>, writes: &'q WriteSet) -> Statement<'q> {
        for writes in writes.tables() {
            let table = writes.table();
            if writes.written().next().is_some() {
                for (index, column) in table.columns().iter().enumerate() {
                    let cells = writes.written().map(move |row| &row[index]);
                    statement = bind_column(statement, column.column_type, cells);
                }
            }
            if writes.deleted().next().is_some() {
                for (index, column) in table.key_columns().enumerate() {
                    let cells = writes.deleted().map(move |key| &key[index]);
                    statement = bind_column(statement, column.column_type, cells);
                }
            }
        }
        statement
    }
}

impl Stored {
    async fn write_rows<'r>(
        &self,
        connection: &mut PgConnection,
        statement: &str,
        rows: impl Iterator<Item = &'r Row>,
    ) -> Result<(), sqlx::Error> {
        for rows in in_order_of_keys(&self.table, rows).chunks(CHUNK) {
            let mut statement = sqlx::query(statement);
            for (index, column) in self.table.columns().iter().enumerate() {
                statement = bind_column(statement, column.column_type, rows.iter().map(|row| &row[index]));
            }
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn delete_rows(&self, connection: &mut PgConnection, writes: &TableWrites) -> Result<(), sqlx::Error> {
        let keys: Vec<&[Value]> = writes.deleted().map(Vec::as_slice).collect();
        for keys in keys.chunks(CHUNK) {
            let mut statement = sqlx::query(&self.delete);
            for (index, column) in self.table.key_columns().enumerate() {
                statement = bind_column(statement, column.column_type, keys.iter().map(|key| &key[index]));
            }
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }
}
