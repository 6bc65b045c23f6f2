//! What a server says of itself, for whoever looks for what is wrong with it. Nothing is changed: what is tried is rolled back.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, postgres::PgConnectOptions};

use super::{
    connect::{ConnectError, address},
    contact::{self, Contact},
    migrate::{SchemaState, check_start, schema_state},
    pool::pool,
    session,
    tls::refused_certificate,
    within::within,
};

/// How long the server may take to answer a question.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The settings that are looked at. Not those of the sessions of a host, which sets its own.
const SETTINGS: &[&str] = &[
    "autovacuum",
    "default_transaction_read_only",
    "fsync",
    "full_page_writes",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "max_connections",
    "shared_buffers",
    "statement_timeout",
    "synchronous_commit",
    "track_counts",
    "wal_compression",
];

/// What a server says of itself.
#[derive(Debug)]
pub struct Examined {
    /// Host, port, user and database.
    pub address: String,
    /// Its version, such as `15.14`.
    pub version: String,
    /// Its major version.
    pub major: i32,
    /// The connections that it lets this role have in this database, and what sets that; `None` if it is not known.
    pub allowed: Option<(u32, String)>,
    /// Whether a pooler shares sessions between connections.
    pub shares_sessions: bool,
    /// Whether it repeats what another server writes, and takes no writes itself.
    pub is_standby: bool,
    /// Settings as a new session has them, in the units of `pg_settings`.
    pub settings: BTreeMap<String, String>,
    /// The clock of the server less that of this process, and the time that the question took, which is how wrong that may be.
    pub clock: ClockReading,
    /// The bytes of the database.
    pub database_bytes: u64,
    /// Its folder, if this role may know it.
    pub data_directory: Option<PathBuf>,
    /// Whether the URL leads to this machine.
    pub is_local: bool,
    /// The migrations that it has.
    pub schema: SchemaState,
    /// What a host has to be allowed, each with the reason if it is not.
    pub rights: Vec<(Right, Result<(), String>)>,
    /// For further questions.
    pub pool: PgPool,
}

/// Two clocks compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockReading {
    /// By how many seconds the other clock is ahead.
    pub offset: f64,
    /// How wrong that may be, in seconds.
    pub error: f64,
}

/// What a host has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To bring the schema `gnomon` up to date, if that is due and not another role's.
    Migrate,
    /// To make the schema of a build.
    CreateSchemas,
    /// To hear of what other hosts commit.
    Listen,
    /// To end a session of its own role: of a host that stands still with a lock.
    EndSessions,
}

/// Looks at a server.
///
/// # Errors
/// It cannot be reached within a few seconds, or refuses the connection.
pub async fn examine(options: PgConnectOptions) -> Result<Examined, ConnectError> {
    let address = address(&options);
    let unreachable = |error| match refused_certificate(&error) {
        Some(reason) => ConnectError::Certificate { address: address.clone(), reason },
        None => ConnectError::Unreachable { address: address.clone(), error, waited: Duration::ZERO },
    };
    let options = session::start(options);
    let Contact { version: major, limit: allowed, shares_sessions } =
        within(TIMEOUT, "what it is", contact::look(&options)).await.map_err(unreachable)?;
    let mut connection = session::open(&options).await.map_err(unreachable)?;
    let looked = async {
        let settings = settings(&mut connection).await?;
        let clock = clock(&mut connection).await?;
        let (version, is_standby, database_bytes, data_directory): (String, bool, i64, Option<String>) =
            sqlx::query_as(
                "SELECT split_part(current_setting('server_version'), ' ', 1), pg_is_in_recovery(), pg_database_size(current_database()),
                        (SELECT setting FROM pg_settings WHERE name = 'data_directory')",
            )
            .fetch_one(&mut connection)
            .await?;
        let schema = schema_state(&mut connection).await?;
        let is_local =
            options.get_socket().is_some() || matches!(options.get_host(), "localhost" | "127.0.0.1" | "::1" | "[::1]");
        Ok(Examined {
            address: address.clone(),
            version,
            major,
            allowed,
            shares_sessions,
            is_standby,
            settings,
            clock,
            database_bytes: u64::try_from(database_bytes).unwrap_or_default(),
            data_directory: data_directory.map(PathBuf::from),
            is_local,
            schema,
            rights: Vec::new(),
            pool: pool(1, options.clone()),
        })
    };
    let mut examined = within(TIMEOUT, "what it says of itself", looked).await.map_err(unreachable)?;
    // Each of these may break the session that it is tried in.
    drop(connection);
    for right in [Right::Migrate, Right::CreateSchemas, Right::Listen, Right::EndSessions] {
        examined.rights.push((right, try_right(&options, right).await));
    }
    Ok(examined)
}

async fn settings(connection: &mut PgConnection) -> Result<BTreeMap<String, String>, sqlx::Error> {
    // As the server, the database and the role have them, whatever the URL's `options` say: `reset_val` is what a RESET gives.
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT name, coalesce(reset_val, setting, '') FROM pg_settings WHERE name = ANY($1)")
            .bind(SETTINGS)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}

async fn clock(connection: &mut PgConnection) -> Result<ClockReading, sqlx::Error> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut best: Option<ClockReading> = None;
    // The first answer takes longest, since its statement is prepared.
    for _ in 0..3 {
        let before = now();
        let server: f64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::float8")
            .fetch_one(&mut *connection)
            .await?;
        let after = now();
        let reading =
            ClockReading { offset: server - f64::midpoint(before, after), error: (after - before).abs() / 2.0 };
        if best.is_none_or(|best| reading.error < best.error) {
            best = Some(reading);
        }
    }
    Ok(best.unwrap_or(ClockReading { offset: 0.0, error: f64::INFINITY }))
}

/// Tries what a host has to be allowed, in a session of its own.
async fn try_right(options: &PgConnectOptions, right: Right) -> Result<(), String> {
    let attempt = async {
        let mut connection = session::open(options).await?;
        let tried = match right {
            Right::Migrate => check_start(&mut connection).await.map_err(|error| error.to_string()),
            // The name of no build, and nobody sees it, since it is never committed.
            Right::CreateSchemas => run(&mut connection, "BEGIN; CREATE SCHEMA gnomon_doctor; ROLLBACK").await,
            Right::Listen => run(&mut connection, "LISTEN gnomon_doctor; UNLISTEN gnomon_doctor").await,
            Right::EndSessions => match end_a_session(&mut connection, options).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("Postgres did not end the session".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        };
        let _ = connection.close().await;
        Ok::<_, sqlx::Error>(tried)
    };
    within(TIMEOUT, "a right that was tried", attempt).await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn run(connection: &mut PgConnection, statements: &str) -> Result<(), String> {
    connection.execute(statements).await.map(|_| ()).map_err(|error| error.to_string())
}

/// Ends a session that is opened for this, as a host ends that of one that stands still.
async fn end_a_session(connection: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut other = session::open(options).await?;
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut other).await?;
    sqlx::query_scalar("SELECT pg_terminate_backend($1)").bind(process).fetch_one(connection).await
}

#[cfg(test)]
#[path = "examine_tests.rs"]
mod tests;
