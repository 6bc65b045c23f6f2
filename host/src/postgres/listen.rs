//! Listening for notifications.

use std::time::Duration;

use sqlx::{Connection as _, PgPool, postgres::PgListener};
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use super::{
    backoff::Backoff,
    session::{self, Plans, connect_beside},
};

/// The first pause after a failure.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

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
        let own = session::pool(1, Plans::ByIndex).connect_lazy_with(pool.connect_options().as_ref().clone());
        let listener = begin(&pool, &own, channel).await?;
        let (sender, mut heard) = watch::channel(Heard::Began);
        heard.mark_changed();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = pool.close_event() => {}
                () = run(&pool, &own, channel, listener, sender) => {}
            }
            own.close().await;
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

/// Begins to listen with the one connection of `own`.
async fn begin(pool: &PgPool, own: &PgPool, channel: &'static str) -> Result<PgListener, sqlx::Error> {
    // A pool says only that it had no connection in time. This says why, and at once.
    connect_beside(pool, &[]).await?.close().await?;
    let mut listener = PgListener::connect_with(own).await?;
    // A new listener replaces one that lost its connection.
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

async fn run(
    pool: &PgPool,
    own: &PgPool,
    channel: &'static str,
    mut listener: PgListener,
    heard: watch::Sender<Heard>,
) {
    let mut backoff = Backoff::new(MIN_PAUSE, MAX_PAUSE);
    loop {
        // `None`: the connection was lost, and notifications may be, too.
        let lost = loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => {
                    heard.send_replace(Heard::Notification(notification.payload().to_owned()));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = lost {
            warn!(%error, channel, "cannot listen for notifications, trying again");
        }
        // Its connection is the only one of the pool.
        drop(listener);
        let mut is_failing = false;
        listener = loop {
            tokio::time::sleep(backoff.next_pause()).await;
            match begin(pool, own, channel).await {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::test_database::TestDatabase;

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
