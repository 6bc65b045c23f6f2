//! Writing what a batch changed.

use sqlx::PgConnection;

use super::{Stored, TableSet, array_parameter, cells::bind_column, join};
use crate::read_model::{
    table::Table,
    value::Value,
    write_set::{TableWrites, WriteSet},
};

/// Rows of one statement: enough that its costs do not count, few enough that its arrays stay small.
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
            for (place, column) in self.table.columns().iter().enumerate() {
                statement = bind_column(statement, column.column_type, rows.iter().map(|row| &row[place]));
            }
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }

    async fn delete_rows(&self, connection: &mut PgConnection, writes: &TableWrites) -> Result<(), sqlx::Error> {
        let keys: Vec<&[Value]> = writes.deleted().map(Vec::as_slice).collect();
        for keys in keys.chunks(CHUNK) {
            let mut statement = sqlx::query(&self.delete);
            for (place, column) in self.table.key_columns().enumerate() {
                statement = bind_column(statement, column.column_type, keys.iter().map(|key| &key[place]));
            }
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

pub(super) fn upsert(name: &str, table: &Table) -> String {
    let columns = join(table.columns().iter().map(|column| column.name.quoted()), ", ");
    let arrays =
        table.columns().iter().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let key = join(table.key_columns().map(|column| column.name.quoted()), ", ");
    let rest = table.columns().iter().enumerate().filter(|(place, _)| !table.key().contains(place));
    let set = join(rest.map(|(_, column)| format!("{0} = excluded.{0}", column.name.quoted())), ", ");
    let conflict = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {set}") };
    format!(
        "INSERT INTO {name} ({columns}) SELECT * FROM unnest({}) ON CONFLICT ({key}) DO {conflict}",
        join(arrays, ", ")
    )
}

pub(super) fn delete(name: &str, table: &Table) -> String {
    let arrays = table.key_columns().enumerate().map(|(place, column)| array_parameter(place + 1, column.column_type));
    let gone = join((0..table.key().len()).map(|place| format!("k{place}")), ", ");
    let same =
        table.key_columns().enumerate().map(|(place, column)| format!("t.{} = gone.k{place}", column.name.quoted()));
    format!(
        "DELETE FROM {name} AS t USING unnest({}) AS gone ({gone}) WHERE {}",
        join(arrays, ", "),
        join(same, " AND ")
    )
}
