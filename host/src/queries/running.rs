//! A statement of a reader while it runs.
//!
//! sqlx 0.8.6 cancels nothing: a statement whose future is dropped runs on in Postgres, for minutes perhaps, although nobody waits for it. And
//! its connection goes back to the pool, where the next reader would wait for its end.

use std::{fmt, sync::Arc, time::Duration};

use sqlx::{PgConnection, PgPool, Postgres, pool::PoolConnection};
use tracing::warn;
use uuid::Uuid;

use super::slots::Slot;

/// The pause between two looks for a statement that is to end.
const PAUSE: Duration = Duration::from_millis(100);
/// How long is looked for it. A statement that cannot be ended in this time is in something that Postgres does not interrupt.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(30);

/// Ends the statements that begin with `$1`. The mark is in no text of this statement, so it does not find itself.
const CANCEL: &str =
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE state = 'active' AND starts_with(query, $1)";

/// What a statement begins with, by which Postgres shows it: a comment, unique to it.
#[derive(Clone, Debug)]
pub(super) struct Mark(String);

impl Mark {
    pub(super) fn new() -> Self {
        Self(format!("/* gnomon reads {} */ ", Uuid::new_v4().simple()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection with a statement. Dropped before it has finished, it ends the statement in Postgres, closes the connection, and keeps its slot
/// until then.
pub(super) struct Running {
    connection: PoolConnection<Postgres>,
    unfinished: Option<Unfinished>,
}

struct Unfinished {
    mark: Mark,
    lookups: PgPool,
    _slot: Arc<Slot>,
}

impl Running {
    /// A statement that begins with `mark`, on a connection of the pool `queries`. It is ended by a connection of `lookups`.
    pub(super) async fn begin(
        queries: &PgPool,
        lookups: &PgPool,
        mark: Mark,
        slot: Arc<Slot>,
    ) -> Result<Self, sqlx::Error> {
        let connection = queries.acquire().await?;
        Ok(Self { connection, unfinished: Some(Unfinished { mark, lookups: lookups.clone(), _slot: slot }) })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// The statement was read to its end, or failed: the connection can be used again.
    pub(super) fn finish(mut self) {
        self.unfinished = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(unfinished) = self.unfinished.take() else { return };
        self.connection.close_on_drop();
        // While the runtime stops, the connection is closed without it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(unfinished.cancel());
        }
    }
}

impl Unfinished {
    async fn cancel(self) {
        if tokio::time::timeout(CANCEL_TIMEOUT, self.cancel_until_it_is_gone()).await.is_err() {
            warn!("a query that nobody waits for could not be ended within {} s", CANCEL_TIMEOUT.as_secs());
        }
    }

    /// Cancels until there is nothing to cancel twice in a row: the statement may just have been on its way to Postgres.
    async fn cancel_until_it_is_gone(&self) {
        let mut is_gone = false;
        loop {
            let found: Result<i64, _> = sqlx::query_scalar(CANCEL).bind(&self.mark.0).fetch_one(&self.lookups).await;
            match found {
                Ok(0) if is_gone => return,
                Ok(found) => is_gone = found == 0,
                Err(sqlx::Error::PoolClosed) => return,
                Err(error) => warn!(%error, "cannot end a query that nobody waits for, trying again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
