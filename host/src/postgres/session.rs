//! What holds for every session: its settings, and how it is opened.
//!
//! The settings are set by a statement after connecting. As parameters of the connection's start, a pooler such as PgBouncer would refuse
//! those that it does not know.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgConnectOptions};

use super::{
    socket,
    within::{ANSWER_TIMEOUT, within},
};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// By this name hosts know each other's sessions.
pub(super) const APPLICATION_NAME: &str = "gnomon";

/// Settings of each session, whatever the defaults of the server, the database and the role are. `default_transaction_read_only` is not
/// among them: who makes a database read-only means it.
const SESSION: &[(&str, &str)] = &[
    // First, so that none of the others is cut off. What may take long has no limit here; what may not has one where it is asked.
    ("statement_timeout", "0"),
    // Nothing waits for a lock without end: whoever needs one sooner, or can wait longer, sets it for the transaction.
    ("lock_timeout", "10s"),
    // A host that is frozen within a transaction loses its locks after this time.
    ("idle_in_transaction_session_timeout", "5s"),
    // Connections wait in pools, and listen.
    ("idle_session_timeout", "0"),
    // Each statement sees what was committed before it: an append reads the versions of streams after it has the log's lock.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // Every name of Gnomon's is written with its schema, and no function of somebody else stands before one of Postgres.
    ("search_path", "pg_catalog"),
    // A policy that hides rows is an error, and not fewer rows.
    ("row_security", "off"),
    // Values are read and compared as text in some places.
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("standard_conforming_strings", "on"),
    // A float is written with all its digits.
    ("extra_float_digits", "1"),
    // These change what statements find.
    ("transform_null_equals", "off"),
    ("gin_fuzzy_search_limit", "0"),
    // Compiling a plan takes longer than any statement of Gnomon runs.
    ("jit", "off"),
    ("plan_cache_mode", "auto"),
    // Postgres ends the session of a host that is gone without a word, and its locks, within half a minute. They have no effect on a
    // local socket.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25s"),
    // Notices, such as that a table exists already, tell an operator nothing.
    ("client_min_messages", "warning"),
];

/// Settings that not every server has, or lets be changed.
const WHERE_POSSIBLE: &str = "
    SELECT pg_catalog.set_config('transaction_timeout', '0', false)
    WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
    -- What was answered is committed: `off` alone may lose it. The others are a choice between replicas.
    -- It is set in any case, so that a server that is told otherwise later does not change it.
    SELECT pg_catalog.set_config('synchronous_commit', CASE value WHEN 'off' THEN 'on' ELSE value END, false)
    FROM pg_catalog.current_setting('synchronous_commit') AS value;
    -- A statement whose host has hung up ends. Servers on Windows cannot see that.
    DO $$ BEGIN
        PERFORM pg_catalog.set_config('client_connection_check_interval', '2s', false);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END $$;";

/// Settings of the sessions for the host's own work, see [`Database::lookups`](super::Database::lookups).
const BY_INDEX: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_sort", "off"),
    ("enable_indexscan", "on"),
    ("enable_indexonlyscan", "on"),
    ("enable_nestloop", "on"),
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
    options.application_name(APPLICATION_NAME).statement_cache_capacity(256).extra_float_digits(None)
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
    let connection = within(CONNECT_TIMEOUT, "a connection", PgConnection::connect_with(options)).await?;
    socket::watch_over(options);
    Ok(connection)
}

/// Gives a session its settings, in one round trip.
pub(super) async fn apply(
    connection: &mut PgConnection,
    plans: Plans,
    more: &[(&str, &str)],
) -> Result<(), sqlx::Error> {
    let by_index = match plans {
        Plans::Any => &[],
        Plans::ByIndex => BY_INDEX,
    };
    let all = SESSION.iter().chain(by_index).chain(more);
    // Safe: names and values are constants and numbers.
    let mut statements: String = all.map(|(name, value)| format!("SET {name} = '{value}';")).collect();
    statements.push_str(WHERE_POSSIBLE);
    within(ANSWER_TIMEOUT, "the settings of a session", connection.execute(statements.as_str())).await?;
    Ok(())
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
