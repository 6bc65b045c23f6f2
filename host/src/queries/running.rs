//! A statement of a reader while it runs.
//!
//! A statement whose future is dropped would run on in Postgres, for minutes perhaps, although nobody waits for it.

use std::{sync::Arc, time::Duration};

use scopeguard::ScopeGuard;
use sqlx::PgPool;
use tokio::{runtime::Handle, time::timeout};
use tracing::warn;

use super::slots::Slot;
use crate::postgres::{Session, Sessions};

/// The pause between two tries to end a statement.
const PAUSE: Duration = Duration::from_millis(100);
/// How long it is tried. A statement that cannot be ended in this time is in something that Postgres does not interrupt.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(30);

/// A session for one statement. Dropped before [`finish`], it ends the statement in Postgres by a connection of `lookups`, closes the session,
/// and keeps the slot until then.
pub(super) async fn begin(
    sessions: &Sessions,
    lookups: &PgPool,
    slot: &Arc<Slot>,
) -> Result<ScopeGuard<Session, impl FnOnce(Session) + use<>>, sqlx::Error> {
    let (lookups, slot) = (lookups.clone(), Arc::clone(slot));
    Ok(scopeguard::guard(sessions.take().await?, move |session| {
        // While the runtime stops, the session is closed without it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(cancel(session, lookups, slot));
        }
    }))
}

/// The statement was read to its end, or failed: the session can be used again.
pub(super) fn finish(running: ScopeGuard<Session, impl FnOnce(Session)>) {
    drop(ScopeGuard::into_inner(running));
}

async fn cancel(session: Session, lookups: PgPool, _slot: Arc<Slot>) {
    match timeout(CANCEL_TIMEOUT, session.keep().cancel(&lookups, PAUSE)).await {
        Ok(Ok(()) | Err(sqlx::Error::PoolClosed)) => {}
        Ok(Err(error)) => warn!(%error, "a query that nobody waits for could not be ended"),
        Err(_) => warn!("a query that nobody waits for could not be ended within {} s", CANCEL_TIMEOUT.as_secs()),
    }
}
