//! Writes the changes of a batch.

use sqlx::PgConnection;

use super::{
    cells::bind_column,
    tables::{Stored, TableSet},
};
use crate::read_model::{
    value::Value,
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
            stored.upsert_rows(connection, writes).await?;
        }
        Ok(())
    }
}

impl Stored {
    async fn upsert_rows(&self, connection: &mut PgConnection, writes: &TableWrites) -> Result<(), sqlx::Error> {
        let rows: Vec<&[Value]> = writes.written().map(Vec::as_slice).collect();
        for rows in rows.chunks(CHUNK) {
            let mut statement = sqlx::query(&self.upsert);
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
