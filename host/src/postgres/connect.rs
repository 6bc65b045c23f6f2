//! The connections of a host.

use std::{
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gnomon_values::Instant;
use sqlx::{PgPool, postgres::PgConnectOptions};
use tracing::warn;

use super::{
    backoff::Backoff,
    contact::{self, Contact},
    pool::pool,
    session,
    sessions::Sessions,
    sqlstate::{TOO_MANY_CONNECTIONS, has_sqlstate, is_transient},
    tls::refused_certificate,
};

/// The oldest Postgres that Gnomon runs on.
pub const OLDEST_POSTGRES: i32 = 14;

/// Connections that a host keeps for itself beside those of its pools: one to append, one that shows that it lives, and two to listen.
pub const KEPT_CONNECTIONS: u32 = 4;

/// Why there are no connections.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server answers, or it refuses the connection.
    #[error("cannot connect to Postgres at {address}: {error}{}", tried(*waited))]
    Unreachable {
        /// Host, port, user and database.
        address: String,
        /// The error of the last try.
        error: sqlx::Error,
        /// For how long it was tried.
        waited: Duration,
    },
    /// It does not show that it is the server that the URL means.
    #[error("the certificate of Postgres at {address} is refused, so nothing was sent to it: {reason}")]
    Certificate {
        /// Host, port, user and database.
        address: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// It answers, but is too old.
    #[error("Postgres at {address} is version {found}; Gnomon needs {OLDEST_POSTGRES} or newer")]
    TooOld {
        /// Host, port, user and database.
        address: String,
        /// The server's major version.
        found: i32,
    },
    /// It does not let this host have as many connections as it is set to open.
    #[error(
        "this host needs {needed} connections to Postgres at {address}, --max-connections={} and {KEPT_CONNECTIONS} that it keeps for \
         itself, and {allowed} are allowed by {by}: raise that, or start the host with {}",
        needed - KEPT_CONNECTIONS,
        lower(*allowed)
    )]
    TooFewAllowed {
        /// Host, port, user and database.
        address: String,
        /// The connections that this host may open.
        needed: u32,
        /// The connections that it is allowed.
        allowed: u32,
        /// What allows no more.
        by: String,
    },
    /// All connections of the server, the role or the database are in use by others.
    #[error(
        "Postgres at {address} has no connection left for this host ({error}){}. It needs {needed}: --max-connections={} and \
         {KEPT_CONNECTIONS} that it keeps for itself; give it fewer, end other clients, or raise max_connections of the server or \
         CONNECTION LIMIT of the role or the database",
        tried(*waited),
        needed - KEPT_CONNECTIONS
    )]
    NoneLeft {
        /// Host, port, user and database.
        address: String,
        /// The connections that this host may open.
        needed: u32,
        /// The server's answer.
        error: sqlx::Error,
        /// For how long it was tried.
        waited: Duration,
    },
    /// A pooler hands sessions out for a transaction or a statement each.
    #[error(
        "a pooler stands before Postgres at {address}, and shares sessions between connections (PgBouncer's pool_mode=transaction or \
         statement). Gnomon listens, prepares statements and holds locks that live as long as a session: connect to Postgres itself, or \
         let the pooler work with pool_mode=session for this database, with a pool_size of at least {needed}"
    )]
    SharedSessions {
        /// Host, port, user and database.
        address: String,
        /// The connections that this host may open.
        needed: u32,
    },
    /// A pooler refuses a parameter of the connection's start.
    #[error(
        "a pooler stands before Postgres at {address}, and refuses the connection: {error}. Gnomon itself sends client_encoding, \
         DateStyle, TimeZone and application_name only, which PgBouncer knows; take other parameters (`options`) out of the database URL"
    )]
    RefusedByPooler {
        /// Host, port, user and database.
        address: String,
        /// The pooler's answer.
        error: sqlx::Error,
    },
}

fn tried(waited: Duration) -> String {
    if waited.is_zero() {
        String::new()
    } else {
        format!(", and so for {} s (--connect-timeout)", waited.as_secs_f64())
    }
}

/// What to start a host with where so many connections are allowed.
fn lower(allowed: u32) -> String {
    match allowed.checked_sub(KEPT_CONNECTIONS) {
        Some(left @ 4..) => format!("--max-connections {left}"),
        _ => "a role that is allowed at least 8".to_owned(),
    }
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
    pub queries: Sessions,
    address: String,
    needed: u32,
}

/// How a pool of connections is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolReading {
    /// The pool: `lookups` or `queries`.
    pub name: &'static str,
    /// The connections that it may have.
    pub max: usize,
    /// Those that are open.
    pub open: usize,
    /// Those of them that are in use.
    pub used: usize,
}

/// Hears why a host cannot start yet.
pub type Waiting<'a> = &'a (dyn Fn(String) + Send + Sync);

impl Database {
    /// Opens the pools, with `max_connections` in both together, and checks the server.
    ///
    /// Waits for a server that is still starting, for up to `timeout`.
    ///
    /// # Errors
    /// The server cannot be reached in that time, refuses the connection, or cannot be used: see [`ConnectError`].
    pub async fn connect(
        options: PgConnectOptions,
        max_connections: u32,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        Self::connect_saying(options, max_connections, timeout, &|_| {}).await
    }

    /// The same; `waiting` hears of each refusal that is tried again.
    ///
    /// # Errors
    /// As above.
    pub async fn connect_saying(
        options: PgConnectOptions,
        max_connections: u32,
        timeout: Duration,
        waiting: Waiting<'_>,
    ) -> Result<Self, ConnectError> {
        let address = address(&options);
        let needed = max_connections + KEPT_CONNECTIONS;
        let options = session::start(options);
        let queries = Sessions::new(max_connections / 2, options.clone());
        let lookups = pool(max_connections - max_connections / 2, options.clone());
        let database = Self { lookups, queries, address: address.clone(), needed };
        let Contact { version, limit, shares_sessions } =
            database.retry(timeout, waiting, async || contact::look(&options).await).await?;
        if shares_sessions {
            return Err(ConnectError::SharedSessions { address, needed });
        }
        if version < OLDEST_POSTGRES {
            return Err(ConnectError::TooOld { address, found: version });
        }
        match limit {
            Some((allowed, by)) if allowed < needed => {
                Err(ConnectError::TooFewAllowed { address, needed, allowed, by })
            }
            _ => Ok(database),
        }
    }

    /// Tries until it succeeds, fails for a reason that is not transient, or has been tried for `timeout`. The first refusal, and each that differs
    /// from the one before, is logged at once.
    ///
    /// # Errors
    /// The last error.
    pub async fn retry<T>(
        &self,
        timeout: Duration,
        waiting: Waiting<'_>,
        attempt: impl AsyncFn() -> Result<T, sqlx::Error>,
    ) -> Result<T, ConnectError> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let (mut said, mut last) = (None, None);
        let began = tokio::time::Instant::now();
        let left = || timeout.saturating_sub(began.elapsed());
        loop {
            // A server that accepts the connection and says nothing is not waited for beyond the limit either. A refusal that came
            // before says more.
            let error = match tokio::time::timeout(left(), attempt()).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => error,
                Err(_) => last.unwrap_or(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer"))),
            };
            if !is_transient(&error) || is_final(&error) {
                return Err(self.error(error, Duration::ZERO));
            }
            let message = error.to_string();
            if said.as_ref() != Some(&message) {
                let until = clock(left());
                let address = &self.address;
                warn!(%address, %error, %until, "cannot connect to Postgres, trying again");
                waiting(format!("cannot connect to Postgres: {message}; trying again until {until}"));
                said = Some(message);
            }
            tokio::time::sleep(backoff.next_pause().min(left())).await;
            if left().is_zero() {
                return Err(self.error(error, timeout));
            }
            last = Some(error);
        }
    }

    fn error(&self, error: sqlx::Error, waited: Duration) -> ConnectError {
        let (address, needed) = (self.address.clone(), self.needed);
        if let Some(reason) = refused_certificate(&error) {
            ConnectError::Certificate { address, reason }
        } else if has_sqlstate(&error, TOO_MANY_CONNECTIONS) {
            ConnectError::NoneLeft { address, needed, error, waited }
        } else if contact::is_refused_by_pooler(&error) {
            ConnectError::RefusedByPooler { address, error }
        } else {
            ConnectError::Unreachable { address, error, waited }
        }
    }

    /// Opens a connection and closes it, to learn why the pools give none. The error says how many connections this host needs.
    ///
    /// # Errors
    /// What keeps the host from connecting.
    pub async fn diagnose(&self) -> Result<(), ConnectError> {
        match session::connect_beside(&self.lookups, &[]).await {
            Ok(connection) => {
                let _ = sqlx::Connection::close(connection).await;
                Ok(())
            }
            Err(error) => Err(self.error(error, Duration::ZERO)),
        }
    }

    /// The connections of each pool, now.
    #[must_use]
    pub fn pools(&self) -> [PoolReading; 2] {
        let (open, used) = self.queries.open_and_used();
        let queries = PoolReading { name: "queries", max: self.queries.max(), open, used };
        let max = usize::try_from(self.lookups.options().get_max_connections()).unwrap_or(usize::MAX);
        let open = usize::try_from(self.lookups.size()).unwrap_or(usize::MAX);
        let lookups = PoolReading { name: "lookups", max, open, used: open.saturating_sub(self.lookups.num_idle()) };
        [lookups, queries]
    }

    /// Closes every connection, each when its current work is done.
    pub async fn close(&self) {
        self.queries.close();
        self.lookups.close().await;
    }
}

/// Whether waiting does not help although the error is of a connection: TLS is not set up, or a pooler is.
fn is_final(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Tls(_)) || refused_certificate(error).is_some() || contact::is_refused_by_pooler(error)
}

/// The time of day after a while, to the second.
fn clock(after: Duration) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = (now + after).as_secs();
    Instant(i64::try_from(seconds).unwrap_or_default() * 1_000_000)
}

/// The address for messages, without the password.
pub(super) fn address(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    let place = match options.get_socket() {
        Some(socket) => format!("{} (port {})", socket.display(), options.get_port()),
        None if options.get_host().contains(':') => format!("[{}]:{}", options.get_host(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("{place}, user {}, database {database}", options.get_username())
}
