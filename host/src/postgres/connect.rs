//! The pool of connections.

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tracing::warn;

use super::{backoff::Backoff, transient::is_transient};

/// The oldest Postgres that Gnomon runs on.
pub const OLDEST_POSTGRES: i32 = 14;

/// Why there is no pool.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answers, or not to us.
    #[error("cannot connect to Postgres at {address}: {source}")]
    Unreachable {
        /// Host, port, user and database.
        address: String,
        /// What went wrong last.
        source: sqlx::Error,
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
    /// For our own work, which looks rows up by their keys and positions and nothing else.
    ///
    /// Tables grow from nothing to millions of rows while plans for them are kept, so what the planner believes of them is
    /// wrong: it hashed a build's table whole for every batch, and sorted fifty thousand events to deliver eight. Here it has
    /// no choice but the index.
    pub lookups: PgPool,
    /// For queries of users, of which nobody knows what they want. Many of them do not keep our own work waiting.
    pub queries: PgPool,
}

impl Database {
    /// Opens the pools, with `max_connections` in both together, and checks the server.
    ///
    /// A server that is still starting is waited for, up to `patience`.
    ///
    /// # Errors
    /// The server cannot be reached in that time, refuses us, or is too old.
    pub async fn connect(
        options: PgConnectOptions,
        max_connections: u32,
        patience: Duration,
    ) -> Result<Self, ConnectError> {
        let address = address(&options);
        let options = session(options);
        let queries = pool(max_connections / 2).connect_lazy_with(options.clone());
        let lookups = pool(max_connections - max_connections / 2).connect_lazy_with(by_index(options));
        let version = wait_for_version(&lookups, &address, patience).await?;
        let found = version / 10_000;
        if found < OLDEST_POSTGRES {
            return Err(ConnectError::TooOld { address, found });
        }
        Ok(Self { lookups, queries })
    }

    /// Closes every connection, after the work that it is lent to.
    pub async fn close(&self) {
        self.queries.close().await;
        self.lookups.close().await;
    }
}

fn pool(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(Duration::from_secs(10))
        // A ping before each use would cost a round trip each; whoever meets a broken connection tries again instead.
        .test_before_acquire(false)
}

async fn wait_for_version(pool: &PgPool, address: &str, patience: Duration) -> Result<i32, ConnectError> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    loop {
        match sqlx::query_scalar("SELECT current_setting('server_version_num')::int").fetch_one(pool).await {
            Ok(version) => return Ok(version),
            Err(source) => {
                let pause = backoff.next_pause();
                if !is_transient(&source) || tokio::time::Instant::now() + pause >= deadline {
                    return Err(ConnectError::Unreachable { address: address.to_owned(), source });
                }
                warn!(%address, error = %source, "Postgres does not answer yet, trying again");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

fn by_index(options: PgConnectOptions) -> PgConnectOptions {
    options.options(
        ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_sort"]
            .map(|method| (method, "off")),
    )
}

/// What is the same for every session.
fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("gnomon").statement_cache_capacity(256).options([
        // Instants are written and read in UTC, whatever the server prefers.
        ("TimeZone", "UTC"),
        // Compiling plans takes longer than any statement of ours runs.
        ("jit", "off"),
        // A host that is frozen in the middle of a transaction keeps its locks from the others for so long and no longer.
        ("idle_in_transaction_session_timeout", "5s"),
    ])
}

/// Where the options lead to, without the password.
fn address(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("{}:{}, user {}, database {database}", options.get_host(), options.get_port(), options.get_username())
}
