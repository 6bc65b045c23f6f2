//! Pools of connections that are ready for the next statement.
//!
//! sqlx 0.8.6 gives connections back to their pool whatever was interrupted on them, and waits without end for their answer first.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    session::{self, Plans},
    socket,
    sqlstate::is_disconnect,
    trust::Trust,
    within::within,
};

/// How long work waits for a connection.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a statement of the host's own work waits for a lock, as Postgres reads it: what others lock is one build's trouble, and what
/// can wait for longer says so.
const LOCK_TIMEOUT: &str = "2s";

/// Connections that have waited for so long are asked whether they still live: firewalls forget them without a word. In a pool that
/// is in use, none waits for so long.
const PING_AFTER: Duration = Duration::from_secs(10);
/// How long they may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection that comes back may still wait for the answer to what was interrupted. Postgres ends a statement whose host
/// has hung up.
const RETURN_TIMEOUT: Duration = Duration::from_secs(2);

/// A pool whose sessions have the settings. It connects when it is used.
pub(super) fn pool(max_connections: u32, options: PgConnectOptions) -> PgPool {
    let trust = Trust::of(&options);
    let (acquired, server) = (Arc::clone(&trust), options.clone());
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping before each use would cost a round trip.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            socket::watch_over(&server);
            Box::pin(session::apply(connection, Plans::ByIndex, &[("lock_timeout", LOCK_TIMEOUT)]))
        })
        .before_acquire(move |connection, about| {
            let trust = Arc::clone(&acquired);
            Box::pin(async move { is_usable(connection, &trust, about.age, about.idle_for).await })
        })
        .after_release(move |connection, about| {
            let trust = Arc::clone(&trust);
            Box::pin(async move { Ok(settle(connection).await.trusted(&trust) && trust.covers(about.age)) })
        })
        .connect_lazy_with(options)
}

/// A pool to another database than that of the host, for statements of its own. It connects when it is used.
#[must_use]
pub fn small_pool(max_connections: u32, options: PgConnectOptions) -> PgPool {
    pool(max_connections, session::start(options))
}

/// Whether a connection that was opened so long ago, and has waited for so long, can be used. Mostly this is no round trip.
///
/// # Errors
/// It does not live.
pub(super) async fn is_usable(
    connection: &mut PgConnection,
    trust: &Trust,
    age: Duration,
    idle_for: Duration,
) -> Result<bool, sqlx::Error> {
    if !trust.covers(age) {
        return Ok(false);
    }
    if idle_for < PING_AFTER {
        return Ok(true);
    }
    let lives = within(PING_TIMEOUT, "a connection that was not used for a while", connection.ping()).await;
    lives.inspect_err(|_| trust.lose()).map(|()| true)
}

/// How a connection came back.
pub(super) enum Returned {
    /// All that was asked is answered.
    Settled,
    /// It cannot be used again, for a reason that concerns it alone.
    Unusable,
    /// It broke.
    Broken,
}

impl Returned {
    /// Whether the connection can be used; where it broke, others are not trusted either.
    pub(super) fn trusted(self, trust: &Trust) -> bool {
        if matches!(self, Self::Broken) {
            trust.lose();
        }
        matches!(self, Self::Settled)
    }
}

/// Waits for the answers to what was interrupted. Mostly there is nothing, and this is no round trip.
pub(super) async fn settle(connection: &mut PgConnection) -> Returned {
    match tokio::time::timeout(RETURN_TIMEOUT, connection.flush()).await {
        Ok(Ok(())) => Returned::Settled,
        Ok(Err(error)) if is_disconnect(&error) => Returned::Broken,
        Ok(Err(_)) | Err(_) => Returned::Unusable,
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
