//! The head of the log, as this host knows it.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tracing::warn;

use super::{event::Position, read};
use crate::postgres::{Heard, Notifications};

/// How often the head is read without a notification, so that a lost one delays followers for no longer.
const POLL: Duration = Duration::from_secs(1);

/// Follows the appends of all hosts and sends each new head. Returns when the pool is closed.
pub(super) async fn follow_head(pool: PgPool, mut notifications: Notifications, head: watch::Sender<Position>) {
    let mut is_failing = false;
    loop {
        let notified = match tokio::time::timeout(POLL, notifications.next()).await {
            Ok(Heard::Notification(payload)) => payload.parse().ok().map(Position),
            Ok(Heard::Began) | Err(_) => None,
        };
        let position = match notified {
            Some(position) => position,
            None => match read::head(&pool).await {
                Ok(position) => position,
                Err(sqlx::Error::PoolClosed) => return,
                Err(error) => {
                    if !is_failing {
                        warn!(%error, "cannot read the head of the log, trying again");
                    }
                    is_failing = true;
                    continue;
                }
            },
        };
        is_failing = false;
        head.send_if_modified(|known| {
            let newer = position > *known;
            *known = position.max(*known);
            newer
        });
    }
}
