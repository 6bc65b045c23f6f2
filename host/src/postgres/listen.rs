//! Listening for notifications.

use std::time::Duration;

use sqlx::{PgPool, postgres::PgListener};
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use super::backoff::Backoff;

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
    /// Begins to listen on `channel`, with a connection of the pool.
    #[must_use]
    pub fn listen(pool: PgPool, channel: &'static str) -> Self {
        let (sender, heard) = watch::channel(Heard::Began);
        let task = tokio::spawn(run(pool, channel, sender));
        Self { heard, task }
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

async fn run(pool: PgPool, channel: &'static str, heard: watch::Sender<Heard>) {
    let mut backoff = Backoff::new(MIN_PAUSE, MAX_PAUSE);
    let mut is_failing = false;
    loop {
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            // A new listener replaces one that lost its connection.
            listener.eager_reconnect(false);
            listener.listen(channel).await?;
            if is_failing {
                info!(channel, "listening for notifications again");
            }
            backoff.reset();
            is_failing = false;
            heard.send_replace(Heard::Began);
            // `None`: the connection was lost, and notifications may be, too.
            while let Some(notification) = listener.try_recv().await? {
                heard.send_replace(Heard::Notification(notification.payload().to_owned()));
            }
            Ok::<(), sqlx::Error>(())
        };
        match listening.await {
            Ok(()) => {}
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                if !is_failing {
                    warn!(%error, channel, "cannot listen for notifications, trying again");
                }
                is_failing = true;
            }
        }
        tokio::time::sleep(backoff.next_pause()).await;
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
        let mut notifications = Notifications::listen(pool.clone(), "doors");
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
        let mut notifications = Notifications::listen(pool.clone(), "doors");
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
