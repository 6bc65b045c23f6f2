//! The pool of connections.

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tracing::warn;

use super::sqlstate::is_transient;

/// The oldest Postgres that Gnomon runs on.
pub const OLDEST_POSTGRES: i32 = 14;

/// Why there are no connections.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server answers, or it refuses the connection.
    #[error("cannot connect to Postgres at {address}: {error}")]
    Unreachable {
        /// Host, port, user and database.
        address: String,
        /// The error of the last try.
        error: sqlx::Error,
    },
    /// It answers, but is too old.
    #[error("Postgres at {address} is version {found}; Gnomon needs {OLDEST_POSTGRES} or newer")]
    TooOld {
        /// Host, port, user and database.
        address: String,
        /// The server's major version.
        found: i32,
    },
}

/// The connections of a host.
#[derive(Clone, Debug)]
pub struct Database {
    /// For the host's own work, which looks up rows by their keys and positions only.
    ///
    /// Tables grow from nothing to millions of rows while prepared plans are kept, so the planner's statistics are wrong: it
    /// hashed a build's whole table for every batch, and sorted fifty thousand events to deliver eight. On these connections it
    /// can only use indexes.
    pub lookups: PgPool,
    /// For queries of users, which may be any. However many there are, the host's own work has connections left.
    pub queries: PgPool,
}

impl Database {
    /// Opens the pools, with `max_connections` in both together, and checks the server.
    ///
    /// Waits for a server that is still starting, for up to `timeout`.
    ///
    /// # Errors
    /// The server cannot be reached in that time, refuses the connection, or is too old.
    pub async fn connect(
        options: PgConnectOptions,
        max_connections: u32,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let address = address(&options);
        let options = session(options);
        let queries = pool(max_connections / 2).connect_lazy_with(options.clone());
        let lookups = pool(max_connections - max_connections / 2).connect_lazy_with(by_index(options));
        let version = wait_for_version(&lookups, &address, timeout).await?;
        let found = version / 10_000;
        if found < OLDEST_POSTGRES {
            return Err(ConnectError::TooOld { address, found });
        }
        Ok(Self { lookups, queries })
    }

    /// Closes every connection, each when its current work is done.
    pub async fn close(&self) {
        self.queries.close().await;
        self.lookups.close().await;
    }
}

fn pool(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(Duration::from_secs(10))
        // A ping before each use would cost a round trip; work on a broken connection fails and is tried again instead.
        .test_before_acquire(false)
}

async fn wait_for_version(pool: &PgPool, address: &str, timeout: Duration) -> Result<i32, ConnectError> {
    let deadline = tokio::time::Instant::now() + timeout;
    let mut pause = Duration::from_millis(50);
    loop {
        match sqlx::query_scalar("SELECT current_setting('server_version_num')::int").fetch_one(pool).await {
            Ok(version) => return Ok(version),
            Err(error) if is_transient(&error) && tokio::time::Instant::now() + pause < deadline => {
                warn!(%address, %error, "Postgres does not answer yet, trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(ConnectError::Unreachable { address: address.to_owned(), error }),
        }
    }
}

fn by_index(options: PgConnectOptions) -> PgConnectOptions {
    options.options(
        ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_sort"]
            .map(|method| (method, "off")),
    )
}

/// Sets what holds for every session.
fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("gnomon").statement_cache_capacity(256).options([
        // Instants are written and read in UTC, whatever the server's setting.
        ("TimeZone", "UTC"),
        // Compiling a plan takes longer than any statement of Gnomon runs.
        ("jit", "off"),
        // A host that is frozen within a transaction loses its locks after this time.
        ("idle_in_transaction_session_timeout", "5s"),
    ])
}

/// The address for messages, without the password.
fn address(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("{}:{}, user {}, database {database}", options.get_host(), options.get_port(), options.get_username())
}
