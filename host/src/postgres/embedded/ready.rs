//! Waits until a server takes connections, and makes Gnomon's role and database where they are missing.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};

use super::config::{EmbeddedConfig, StartProgress};
use super::end::End;
use super::error::EmbeddedError;
use super::log::ServerLog;
use super::postmaster::PidFile;
use super::supervise::Supervised;
use crate::postgres::sqlstate::{
    INVALID_AUTHORIZATION, INVALID_CATALOG_NAME, INVALID_PASSWORD, has_sqlstate, sqlstate,
};

const POLL: Duration = Duration::from_millis(10);

/// How often the start is reported.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The role and the database that Gnomon uses.
pub(super) const NAME: &str = "gnomon";

/// Why a server is not ready.
pub(super) enum NotReady {
    /// It has ended; another try may succeed.
    Ended(End),
    Failed(EmbeddedError),
}

impl From<EmbeddedError> for NotReady {
    fn from(error: EmbeddedError) -> Self {
        Self::Failed(error)
    }
}

/// Waits until the server has written to its pid file that it is ready.
///
/// A connection would not show that: another server that has just taken the port would answer it.
pub(super) async fn wait(
    server: &Supervised,
    cluster: &Path,
    log: &ServerLog,
    config: &EmbeddedConfig,
    started: Instant,
) -> Result<(), NotReady> {
    let mut reported = started;
    config.report(StartProgress::Starting { elapsed: Duration::ZERO });
    loop {
        if let Some(end) = server.has_ended() {
            return Err(NotReady::Ended(end));
        }
        if PidFile::read(cluster)?.is_some_and(|file| file.pid == server.pid() && file.is_ready) {
            return Ok(());
        }
        let elapsed = started.elapsed();
        if elapsed > config.start_timeout {
            return Err(not_ready(cluster, elapsed, None, log).into());
        }
        if reported.elapsed() > REPORT_EVERY {
            reported = Instant::now();
            tracing::info!(seconds = elapsed.as_secs(), last_line = log.last_line(), "PostgreSQL is not ready yet");
            config.report(StartProgress::Starting { elapsed });
        }
        tokio::select! {
            _ = server.ended() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

fn not_ready(cluster: &Path, waited: Duration, connect: Option<String>, log: &ServerLog) -> EmbeddedError {
    EmbeddedError::NotReady { cluster: cluster.to_owned(), waited, connect, output: log.tail() }
}

/// Connects as Gnomon, and makes the role and the database if that fails.
pub(super) async fn connect(
    options: &PgConnectOptions,
    superuser: &PgConnectOptions,
    password: &str,
    password_file: &Path,
) -> Result<(), EmbeddedError> {
    let failed = |cause| EmbeddedError::Connect { port: options.get_port(), cause };
    match PgConnection::connect_with(options).await {
        Ok(connection) => return connection.close().await.map_err(failed),
        // No role, another password, or no database: at the first start, or after changes with psql.
        Err(error)
            if matches!(
                sqlstate(&error).as_deref(),
                Some(INVALID_PASSWORD | INVALID_AUTHORIZATION | INVALID_CATALOG_NAME)
            ) => {}
        Err(error) => return Err(failed(error)),
    }
    let mut connection = match PgConnection::connect_with(superuser).await {
        Ok(connection) => connection,
        Err(error) if has_sqlstate(&error, INVALID_PASSWORD) => {
            return Err(EmbeddedError::Password { path: password_file.to_owned(), cause: error.to_string() });
        }
        Err(error) => return Err(failed(error)),
    };
    provision(&mut connection, password).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    PgConnection::connect_with(options).await.map_err(failed)?.close().await.map_err(failed)
}

/// Each step may have been done by a host that was killed before the next.
async fn provision(connection: &mut PgConnection, password: &str) -> Result<(), sqlx::Error> {
    let exists: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(NAME)
        .fetch_one(&mut *connection)
        .await?;
    // The password, made of letters and digits, is also the superuser's.
    let verb = if exists { "alter" } else { "create" };
    let role = format!("{verb} role {NAME} login password '{password}'");
    connection.execute(role.as_str()).await?;
    // Operators read replication lag, table sizes and long queries.
    connection.execute(format!("grant pg_monitor to {NAME}").as_str()).await?;

    let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(NAME)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        let database = format!("create database {NAME} owner {NAME}");
        connection.execute(database.as_str()).await?;
    }
    Ok(())
}
