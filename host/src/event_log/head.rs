//! Where the log ends, as this host knows it.

use std::time::Duration;

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::{event::Position, read};
use crate::postgres::Backoff;

/// The net under the notifications: one that is lost costs this long at most.
const POLL: Duration = Duration::from_secs(1);

/// Follows the appends of all hosts and tells `head`. Never ends by itself.
pub(super) async fn follow_head(pool: PgPool, head: watch::Sender<Position>) {
    let mut listener = None;
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    loop {
        let position = match next_position(&pool, &mut listener).await {
            Ok(position) => position,
            // The host is closing.
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                warn!(%error, "cannot listen for appends of other hosts, trying again");
                listener = None;
                tokio::time::sleep(backoff.next_pause()).await;
                continue;
            }
        };
        backoff.reset();
        head.send_if_modified(|known| {
            let newer = position > *known;
            *known = position.max(*known);
            newer
        });
    }
}

async fn next_position(pool: &PgPool, listener: &mut Option<PgListener>) -> Result<Position, sqlx::Error> {
    let Some(open) = listener else {
        let mut new = PgListener::connect_with(pool).await?;
        new.listen("gnomon_head").await?;
        *listener = Some(new);
        // What was appended before we listened is told by nobody.
        return read::head(pool).await;
    };
    match tokio::time::timeout(POLL, open.try_recv()).await {
        Ok(Ok(Some(notification))) => match notification.payload().parse() {
            Ok(position) => Ok(Position(position)),
            Err(_) => {
                debug!(payload = notification.payload(), "a notification that is no position");
                read::head(pool).await
            }
        },
        // The connection was lost, and notifications with it.
        Ok(Ok(None)) => read::head(pool).await,
        Ok(Err(error)) => Err(error),
        Err(_elapsed) => read::head(pool).await,
    }
}
