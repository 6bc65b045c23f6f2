//! Listening for notifications.

use std::{convert::Infallible, time::Duration};

use sqlx::{Connection as _, PgPool, postgres::PgListener};
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use super::{
    backoff::Backoff,
    pool::pool as pool_of,
    session::connect_beside,
    trust::Trust,
    within::{ANSWER_TIMEOUT, within},
};

/// The first pause after a failure.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// How often Postgres is asked whether it still hears, if nothing is heard from it.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// What was heard last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Notifications before this may have been missed: listening has begun, for the first time or again after an outage.
    Began,
    /// The payload of the newest notification.
    Notification(String),
}

/// Listens on a channel of Postgres, and listens again after each failure, for as long as this value lives or until the pool is
/// closed.
///
/// It keeps only the newest notification. Notifications are lost while Postgres does not answer, and [`Heard::Began`] tells so.
#[derive(Debug)]
pub struct Notifications {
    heard: watch::Receiver<Heard>,
    task: JoinHandle<()>,
}

impl Notifications {
    /// Begins to listen on `channel`, with a connection of its own beside those of the pool.
    ///
    /// # Errors
    /// The first connection cannot be opened.
    pub async fn listen(pool: PgPool, channel: &'static str) -> Result<Self, sqlx::Error> {
        let listener = begin(&pool, channel).await?;
        let (sender, mut heard) = watch::channel(Heard::Began);
        heard.mark_changed();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = pool.close_event() => {}
                () = run(&pool, channel, listener, sender) => {}
            }
        });
        Ok(Self { heard, task })
    }

    /// Waits for what is heard next. Never returns once the pool is closed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Heard {
        match self.heard.changed().await {
            Ok(()) => self.heard.borrow_and_update().clone(),
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to listen, with a connection of its own.
async fn begin(pool: &PgPool, channel: &'static str) -> Result<PgListener, sqlx::Error> {
    // A pool says only that it had no connection in time. This says why, and at once.
    connect_beside(pool, &[]).await?.close().await?;
    // A listener takes its connection from a pool. It gives a connection that fell silent back to it only when the network gives up, so the
    // next listener has a pool of its own.
    let own = pool_of(1, pool.connect_options().as_ref().clone());
    let mut listener = PgListener::connect_with(&own).await?;
    // A new listener replaces one that lost its connection.
    listener.eager_reconnect(false);
    within(ANSWER_TIMEOUT, format!("LISTEN {channel}"), listener.listen(channel)).await?;
    Ok(listener)
}

async fn run(pool: &PgPool, channel: &'static str, mut listener: PgListener, heard: watch::Sender<Heard>) {
    let mut backoff = Backoff::new(MIN_PAUSE, MAX_PAUSE);
    loop {
        match hear(&mut listener, &heard).await {
            Ok(never) => match never {},
            Err(Lost(None)) => {}
            Err(Lost(Some(error))) => warn!(%error, channel, "cannot listen for notifications, trying again"),
        }
        // Whoever listens notices first that Postgres is gone.
        Trust::of(&pool.connect_options()).lose();
        drop(listener);
        let mut is_failing = false;
        listener = loop {
            tokio::time::sleep(backoff.next_pause()).await;
            match begin(pool, channel).await {
                Ok(listener) => break listener,
                Err(error) => {
                    if !is_failing {
                        warn!(%error, channel, "cannot listen for notifications, trying again");
                    }
                    is_failing = true;
                }
            }
        };
        if is_failing {
            info!(channel, "listening for notifications again");
        }
        backoff.reset();
        heard.send_replace(Heard::Began);
    }
}

/// The connection was lost, and notifications may be, too.
struct Lost(Option<sqlx::Error>);

/// Passes on what is heard, until the connection breaks or falls silent.
async fn hear(listener: &mut PgListener, heard: &watch::Sender<Heard>) -> Result<Infallible, Lost> {
    loop {
        match tokio::time::timeout(PING_INTERVAL, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => {
                heard.send_replace(Heard::Notification(notification.payload().to_owned()));
            }
            Ok(Ok(None)) => return Err(Lost(None)),
            Ok(Err(error)) => return Err(Lost(Some(error))),
            Err(_) => {
                let ping = sqlx::query("SELECT 1").execute(&mut *listener);
                let answered = within(PING_TIMEOUT, "the connection that listens for notifications", ping).await;
                answered.map_err(|error| Lost(Some(error)))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{test_database::TestDatabase, test_proxy::SlowProxy};

    const DEADLINE: Duration = Duration::from_secs(20);

    async fn next(notifications: &mut Notifications) -> Heard {
        tokio::time::timeout(DEADLINE, notifications.next()).await.expect("something is heard in time")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_connection_is_made_again() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        let mut notifications = Notifications::listen(pool.clone(), "doors").await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Began);
        sqlx::query("NOTIFY doors, 'open'").execute(&pool).await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Notification("open".to_owned()));

        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Began);
        sqlx::query("NOTIFY doors, 'shut'").execute(&pool).await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Notification("shut".to_owned()));
    }

    /// As when a firewall forgets it: no side hears of it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_that_falls_silent_is_made_again() {
        let database = TestDatabase::create().await;
        let proxy = SlowProxy::start(database.connect_options(), Duration::ZERO).await;
        let pool = PgPool::connect_lazy_with(proxy.through(&database.connect_options()));
        let mut notifications = Notifications::listen(pool, "doors").await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Began);
        proxy.silence();
        assert_eq!(next(&mut notifications).await, Heard::Began);
        sqlx::query("NOTIFY doors, 'open'").execute(&database.pool().await).await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Notification("open".to_owned()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_pool_ends_the_task() {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        let mut notifications = Notifications::listen(pool.clone(), "doors").await.unwrap();
        assert_eq!(next(&mut notifications).await, Heard::Began);
        pool.close().await;
        let ended = async {
            while !notifications.task.is_finished() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ended).await.expect("the task ends in time");
    }
}
