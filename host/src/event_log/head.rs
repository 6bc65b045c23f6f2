//! The head of the log, as this host knows it.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};
use tracing::warn;

use super::{
    event::Position,
    identity::{Identity, Look, look},
    recent::RecentEvents,
};
use crate::postgres::{Heard, Notifications, distrust};

/// How often the log is looked at: a lost notification delays followers for no longer, and a restore is noticed within this time.
const POLL: Duration = Duration::from_secs(1);

/// What this host knows of the head. Clones are handles.
#[derive(Clone, Debug)]
pub(super) struct KnownHead {
    position: watch::Sender<Position>,
    restores: watch::Sender<u64>,
    /// The events before it that this host has appended.
    recent: RecentEvents,
}

impl KnownHead {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position: watch::Sender::new(position),
            restores: watch::Sender::new(0),
            recent: RecentEvents::default(),
        }
    }

    /// The newest position.
    pub(super) fn position(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// The newest position, now.
    pub(super) fn now(&self) -> Position {
        *self.position.borrow()
    }

    /// Counts how often the log was found to be another one than before.
    pub(super) fn restores(&self) -> watch::Receiver<u64> {
        self.restores.subscribe()
    }

    /// The head is at least here.
    pub(super) fn raise(&self, to: Position) {
        self.position.send_if_modified(|known| {
            let newer = to > *known;
            *known = to.max(*known);
            newer
        });
    }

    /// The newest events, if this host has appended them.
    pub(super) fn recent(&self) -> &RecentEvents {
        &self.recent
    }

    /// The log is another one, whose head was found to be at `to` when it was thought to be at `from`.
    fn reset(&self, from: Position, to: Position) {
        self.position.send_if_modified(|known| {
            // Else it was raised by an append to the new log.
            let stale = *known == from;
            *known = if stale { to } else { to.max(*known) };
            stale
        });
        self.recent.forget();
        self.restores.send_modify(|restores| *restores += 1);
    }
}

/// Follows the appends of all hosts, and the log itself. Returns when the pool is closed.
pub(super) async fn follow_head(
    pool: PgPool,
    mut notifications: Notifications,
    head: KnownHead,
    mut identity: Option<Identity>,
) {
    let mut is_failing = false;
    let mut due = Instant::now() + POLL;
    loop {
        if let Ok(Heard::Notification(payload)) = tokio::time::timeout_at(due, notifications.next()).await {
            if let Ok(position) = payload.parse() {
                head.raise(Position(position));
            }
            // A log that grows all the time is looked at as well.
            if Instant::now() < due {
                continue;
            }
        }
        due = Instant::now() + POLL;
        let before = *head.position.borrow();
        match look(&pool).await {
            Ok(found) => {
                is_failing = false;
                compare(&head, before, &mut identity, found, &pool);
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                if !is_failing {
                    warn!(%error, "cannot read the head of the log, trying again");
                }
                is_failing = true;
            }
        }
    }
}

/// Compares the log with what this host knew of it before it looked: an append that was known then is in the log for good.
fn compare(head: &KnownHead, before: Position, identity: &mut Option<Identity>, found: Look, pool: &PgPool) {
    if found.position < before {
        warn!(
            known = %before, found = %found.position,
            "the head of the log went back: its database was restored. Followers end, builds continue from what the database says"
        );
        head.reset(before, found.position);
    } else if identity.as_ref().is_some_and(|known| *known != found.identity) {
        warn!(
            known = ?identity, found = ?found.identity, position = %found.position,
            "the log may be another one: its database was restored, or another server has taken over. Followers end"
        );
        head.reset(before, found.position);
    } else {
        head.raise(found.position);
    }
    *identity = Some(found.identity);
    if found.is_read_only {
        // What the database lets a session do is decided when the session begins.
        distrust(pool);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_lowers_only_what_was_known_before_it() {
        let head = KnownHead::new(Position(100));
        head.raise(Position(90));
        assert_eq!(*head.position().borrow(), Position(100));
        head.reset(Position(100), Position(50));
        assert_eq!((*head.position().borrow(), *head.restores().borrow()), (Position(50), 1));
        // Appended to the new log before the old head was found to be wrong.
        head.raise(Position(120));
        head.reset(Position(50), Position(110));
        assert_eq!((*head.position().borrow(), *head.restores().borrow()), (Position(120), 2));
    }
}
