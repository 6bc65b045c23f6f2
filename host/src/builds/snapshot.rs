//! A snapshot of the database, on a connection of its own.

use sqlx::{Connection, Executor, PgConnection, PgPool};

/// Read-only transactions on a connection of its own, so that a long reading keeps no query waiting.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: PgConnection,
}

impl Snapshot {
    /// Connects to where the pool's connections lead.
    pub(crate) async fn connect(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: PgConnection::connect_with(&pool.connect_options()).await? })
    }

    /// Begins a transaction. What it sees is the moment of its first statement.
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

    /// Closes the connection. If this is dropped instead, the server finds out a little later.
    pub(crate) async fn close(self) {
        // Nothing was changed, so nothing is lost with a connection that breaks now.
        let _ = self.connection.close().await;
    }
}
