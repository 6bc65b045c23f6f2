//! What holds for every session: its settings, and how it is opened.
//!
//! The settings are set by a statement after connecting. As parameters of the connection's start, a pooler such as PgBouncer would refuse
//! those that it does not know.

use std::{io, time::Duration};

use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of each session.
const SESSION: &[(&str, &str)] = &[
    // Instants are written and read in UTC, whatever the server's setting.
    ("TimeZone", "UTC"),
    // A float is written with all its digits.
    ("extra_float_digits", "1"),
    // Compiling a plan takes longer than any statement of Gnomon runs.
    ("jit", "off"),
    // A host that is frozen within a transaction loses its locks after this time.
    ("idle_in_transaction_session_timeout", "5s"),
    // Notices, such as that a table exists already, tell an operator nothing.
    ("client_min_messages", "warning"),
];

/// Settings of the sessions for the host's own work, see [`Database::lookups`](super::Database::lookups).
const BY_INDEX: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_sort", "off"),
];

/// Which plans a session may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plans {
    /// Any: for queries of users.
    Any,
    /// Those that use an index: for the host's own work.
    ByIndex,
}

/// What a connection's start tells the server: nothing that a pooler does not know.
pub(super) fn start(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("gnomon").statement_cache_capacity(256).extra_float_digits(None)
}

/// A pool whose sessions have the settings.
pub(super) fn pool(max_connections: u32, plans: Plans) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(Duration::from_secs(10))
        // A ping before each use would cost a round trip; work on a broken connection fails and is tried again instead.
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(apply(connection, plans, &[])))
}

/// Opens a connection for the host's own work beside those of a pool, to the same database. `more` are settings beside the common ones.
///
/// # Errors
/// Postgres refuses, or does not answer in time.
pub async fn connect_beside(pool: &PgPool, more: &[(&str, &str)]) -> Result<PgConnection, sqlx::Error> {
    let mut connection = open(&start(pool.connect_options().as_ref().clone())).await?;
    apply(&mut connection, Plans::ByIndex, more).await?;
    Ok(connection)
}

/// Opens a connection for reading beside those of a pool, to the same database. It may use any plan.
///
/// # Errors
/// Postgres refuses, or does not answer in time.
pub async fn connect_to_read(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = open(&start(pool.connect_options().as_ref().clone())).await?;
    apply(&mut connection, Plans::Any, &[]).await?;
    Ok(connection)
}

/// Opens a connection without the settings.
pub(super) async fn open(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(connection) => connection,
        Err(_) => {
            let message = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
            Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message)))
        }
    }
}

/// Gives a session its settings, in one round trip.
async fn apply(connection: &mut PgConnection, plans: Plans, more: &[(&str, &str)]) -> Result<(), sqlx::Error> {
    let by_index = match plans {
        Plans::Any => &[],
        Plans::ByIndex => BY_INDEX,
    };
    let all = SESSION.iter().chain(by_index).chain(more);
    // Safe: names and values are constants and numbers.
    let statement: String = all.map(|(name, value)| format!("SET {name} = '{value}';")).collect();
    connection.execute(statement.as_str()).await?;
    Ok(())
}
