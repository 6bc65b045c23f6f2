//! A snapshot of the database, on a separate connection.

use sqlx::{Connection, Executor, PgConnection, PgPool};

use crate::postgres::connect_to_read;

/// Read-only transactions on a separate connection, so that a long read keeps no connection of the pool.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: PgConnection,
}

impl Snapshot {
    /// Connects beside the pool.
    pub(crate) async fn connect(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: connect_to_read(pool).await? })
    }

    /// Begins a transaction. It sees the database as of its first statement.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(())
    }

    /// Ends the transaction, so that another can begin.
    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("ROLLBACK").await?;
        Ok(())
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Closes the connection. If the snapshot is dropped instead, the server notices a little later.
    pub(crate) async fn close(self) {
        // Ignores a connection that breaks now: the transaction was read-only.
        let _ = self.connection.close().await;
    }
}
