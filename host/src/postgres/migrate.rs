//! Migrations of the schema `gnomon`.

use sqlx::{Connection, PgConnection, PgPool, migrate::MigrateError as SqlxError};
use tracing::info;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database knows a migration that this program does not.
    #[error(
        "the database was migrated by a newer Gnomon (migration {0} is unknown here); run that version, or a newer one"
    )]
    Newer(i64),
    /// A migration was applied to the database in another form than this program has.
    #[error("migration {0} was applied to the database in another form; this program cannot use the database")]
    Changed(i64),
    /// A migration failed.
    #[error("cannot migrate the database: {0}")]
    Failed(SqlxError),
}

/// Brings schema `gnomon` up to date, and returns its version. Several hosts may do so at once: an advisory lock lets one at a
/// time migrate.
///
/// # Errors
/// The database belongs to a newer Gnomon, or a migration failed, which changes nothing.
pub async fn migrate(pool: &PgPool) -> Result<i64, MigrateError> {
    // sqlx keeps its history in the first schema of the search path, which must not be one of the user's.
    let options = pool.connect_options().as_ref().clone().options([("search_path", "gnomon")]);
    let mut connection = PgConnection::connect_with(&options).await.map_err(failed)?;
    sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS gnomon").execute(&mut connection).await.map_err(failed)?;
    let migrator = sqlx::migrate!("../migrations");
    migrator.run(&mut connection).await.map_err(|error| match error {
        SqlxError::VersionMissing(version) => MigrateError::Newer(version),
        SqlxError::VersionMismatch(version) => MigrateError::Changed(version),
        error => MigrateError::Failed(error),
    })?;
    connection.close().await.map_err(failed)?;
    let version = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    info!(version, "the database schema is up to date");
    Ok(version)
}

fn failed(error: sqlx::Error) -> MigrateError {
    MigrateError::Failed(SqlxError::Execute(error))
}
