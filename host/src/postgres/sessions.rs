//! Sessions for the statements of users, each known by its process in Postgres.
//!
//! sqlx 0.8.6 cancels nothing, and its pool does not tell which process a connection has: so these have a pool of their own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tracing::warn;

use super::{
    pool::{ACQUIRE_TIMEOUT, is_usable, settle},
    session::{self, Plans},
    time::PgTimestamp,
    trust::Trust,
    within::{ANSWER_TIMEOUT, within},
};

/// Postgres keeps for each session what it has planned and read of the catalog: sessions older than this are closed.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);

/// Statements that stay prepared in a session: of each, Postgres keeps a plan.
const PREPARED: usize = 64;

/// A number of sessions, which are opened when they are used.
#[derive(Clone, Debug)]
pub struct Sessions {
    pool: managed::Pool<Opener>,
}

/// A session, which goes back to the others when it is dropped: then all that was asked must be answered.
#[derive(Debug)]
pub struct Session(Object<Opener>);

/// A session that does not go back.
#[derive(Debug)]
pub struct OwnSession {
    connection: PgConnection,
    process: Process,
    opened: Instant,
}

/// A process of Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: i32,
    /// Numbers of processes are used again.
    started: PgTimestamp,
}

/// Opens sessions, and looks whether they can be used again.
#[derive(Debug)]
struct Opener {
    options: PgConnectOptions,
    trust: Arc<Trust>,
}

impl Sessions {
    /// At most `max` sessions at once. It connects when one is used.
    pub(super) fn new(max: u32, options: PgConnectOptions) -> Self {
        let options = options.statement_cache_capacity(PREPARED);
        let opener = Opener { trust: Trust::of(&options), options };
        let max = usize::try_from(max.max(1)).unwrap_or(usize::MAX);
        // The session that was used last is the next one, so those that are not needed are not kept awake.
        let pool = managed::Pool::builder(opener).max_size(max).queue_mode(QueueMode::Lifo).build();
        #[expect(clippy::expect_used, reason = "it fails for a pool with timeouts and without a runtime")]
        let pool = pool.expect("a pool without timeouts");
        Self { pool }
    }

    /// So many at once.
    #[must_use]
    pub fn max(&self) -> usize {
        self.pool.status().max_size
    }

    /// How many are open, and how many of those are in use.
    #[must_use]
    pub fn open_and_used(&self) -> (usize, usize) {
        let status = self.pool.status();
        (status.size, status.size.saturating_sub(status.available))
    }

    /// A session that is not in use.
    ///
    /// # Errors
    /// Postgres refuses, or all are in use.
    pub async fn take(&self) -> Result<Session, sqlx::Error> {
        let session = async { self.pool.get().await.map(Session).map_err(error) };
        within(ACQUIRE_TIMEOUT, "a session for a query", session).await
    }

    /// Closes those that are not in use, and lets no other be taken.
    pub fn close(&self) {
        self.pool.close();
    }
}

impl Session {
    /// Its connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.0.connection
    }

    /// Takes it from the others, which may open another in its place.
    #[must_use]
    pub fn keep(self) -> OwnSession {
        Object::take(self.0)
    }
}

impl OwnSession {
    /// Ends the statement that it is in, by a connection of another pool: it asks Postgres for that, every `pause`, until the statement has
    /// ended. What it still answers is thrown away.
    ///
    /// # Errors
    /// The session breaks, and Postgres ends the statement by itself.
    pub async fn cancel(mut self, others: &PgPool, pause: Duration) -> Result<(), sqlx::Error> {
        let Process { id, started } = self.process;
        let ask = async {
            loop {
                let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                     WHERE pid = $1 AND backend_start = $2 AND state = 'active'";
                match sqlx::query(cancel).bind(id).bind(started).execute(others).await {
                    Err(sqlx::Error::PoolClosed) => return Err(sqlx::Error::PoolClosed),
                    Err(error) => warn!(%error, "cannot end a query that nobody waits for, trying again"),
                    Ok(_) => {}
                }
                tokio::time::sleep(pause).await;
            }
        };
        // Postgres does not listen while it sends, so what it sends is read meanwhile.
        tokio::select! {
            ended = self.connection.flush() => match ended {
                // It was cancelled.
                Err(sqlx::Error::Database(_)) => Ok(()),
                ended => ended,
            },
            failed = ask => failed,
        }
    }
}

impl managed::Manager for Opener {
    type Type = OwnSession;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<OwnSession, sqlx::Error> {
        let opened = Instant::now();
        let mut connection = session::open(&self.options).await?;
        session::apply(&mut connection, Plans::Any, &[]).await?;
        let who = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let who = sqlx::query_as(who).persistent(false).fetch_one(&mut connection);
        let (id, started) = within(ANSWER_TIMEOUT, "the process of a session", who).await?;
        Ok(OwnSession { connection, process: Process { id, started }, opened })
    }

    async fn recycle(&self, session: &mut OwnSession, about: &Metrics) -> RecycleResult<sqlx::Error> {
        let (age, connection) = (session.opened.elapsed(), &mut session.connection);
        let is_usable = age < MAX_AGE
            && settle(connection).await.trusted(&self.trust)
            && is_usable(connection, &self.trust, age, about.last_used()).await?;
        if is_usable { Ok(()) } else { Err(RecycleError::message("it is too old, or broke")) }
    }
}

fn error(error: PoolError<sqlx::Error>) -> sqlx::Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Closed => sqlx::Error::PoolClosed,
        // The others come from timeouts and hooks, of which it has none.
        _ => sqlx::Error::PoolTimedOut,
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
