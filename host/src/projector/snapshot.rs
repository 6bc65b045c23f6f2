//! One moment of the database, to be read at leisure.

use sqlx::{Connection, Executor, PgConnection, PgPool};

use super::build::BuildId;
use crate::event_log::Position;

/// Read-only transactions on a connection of its own, so that a long reading keeps no query waiting.
#[derive(Debug)]
pub(super) struct Snapshot {
    connection: PgConnection,
}

impl Snapshot {
    /// Connects to where the pool's connections lead.
    pub(super) async fn connect(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: PgConnection::connect_with(&pool.connect_options()).await? })
    }

    /// Begins a transaction. What it sees is the moment of its first statement.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(())
    }

    /// Ends the transaction, so that another can begin.
    pub(super) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("ROLLBACK").await?;
        Ok(())
    }

    /// The checkpoints of builds, by build.
    pub(super) async fn checkpoints(&mut self, builds: &[BuildId]) -> Result<Vec<(BuildId, Position)>, sqlx::Error> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("SELECT build, checkpoint FROM gnomon.build_progress WHERE build = ANY($1) ORDER BY build")
                .bind(builds.iter().map(|build| build.0).collect::<Vec<_>>())
                .fetch_all(&mut self.connection)
                .await?;
        Ok(rows.into_iter().map(|(build, checkpoint)| (BuildId(build), Position::from_sql(checkpoint))).collect())
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Closes the connection. If this is dropped instead, the server finds out a little later.
    pub(super) async fn close(self) {
        // Nothing was changed, so nothing is lost with a connection that breaks now.
        let _ = self.connection.close().await;
    }
}
