//! Who holds the lock of the head while an append waits for it, and the end of hosts that hold it and stand still.
//!
//! A host that is frozen in the middle of an append holds the lock for as long as it is frozen: while Postgres reads a COPY, no timeout of
//! Postgres ends it. So whoever waits looks who it is waiting for, and ends a session of another host that stands still.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tracing::warn;

use crate::postgres::{Blocker, blockers_of, name_blockers};

/// How long an append waits before it looks, and between two looks. Other hosts' appends take far less.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks while others wait, and remembers what it saw from one wait to the next.
#[derive(Debug)]
pub(super) struct StuckHosts {
    pool: PgPool,
    end_stuck_after: Duration,
    /// Who was found last.
    holders: Vec<Blocker>,
    /// Sessions of hosts that Postgres waits for, and since when they have stood still.
    still: Vec<(Blocker, Instant)>,
}

impl StuckHosts {
    pub(super) fn new(pool: PgPool, end_stuck_after: Duration) -> Self {
        Self { pool, end_stuck_after, holders: Vec::new(), still: Vec::new() }
    }

    /// Does `work` on the connection of this process of Postgres, and meanwhile looks who keeps it waiting.
    pub(super) async fn wait<T>(&mut self, pid: i32, work: impl Future<Output = T>) -> T {
        self.holders.clear();
        let mut work = pin!(work);
        loop {
            let look = async {
                tokio::time::sleep(LOOK_EVERY).await;
                self.look(pid).await;
            };
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = look => {}
            }
        }
    }

    /// Who was found in the last wait; `None` if nobody was.
    pub(super) fn holders(&self) -> Option<String> {
        (!self.holders.is_empty()).then(|| name_blockers(&self.holders))
    }

    async fn look(&mut self, pid: i32) {
        let found = match blockers_of(&self.pool, pid).await {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, "cannot find out who holds the lock of the log");
                return;
            }
        };
        let now = Instant::now();
        let before = std::mem::take(&mut self.still);
        for holder in found.iter().filter(|holder| holder.may_be_stuck()) {
            let since =
                before.iter().find(|(seen, _)| holder.stands_still_since(seen)).map_or(now, |(_, since)| *since);
            if now.duration_since(since) < self.end_stuck_after {
                self.still.push((holder.clone(), since));
                continue;
            }
            warn!(session = %holder, "a host holds the lock of the log and stands still; its session is ended");
            if let Err(error) = holder.end(&self.pool).await {
                warn!(session = %holder, %error, "cannot end a session that holds the lock of the log");
            }
        }
        if !found.is_empty() {
            self.holders = found;
        }
    }
}
