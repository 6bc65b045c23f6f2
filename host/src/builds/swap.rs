//! The swap: it changes which build queries read.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::{
    build::{Build, BuildId},
    changes::{ChangeError, apply_event},
    state::{Event, Refused, transition},
    store,
    views::{self, ViewInUse},
};
use crate::{
    event_log::Position,
    postgres::{Blocked, begin_waiting},
    read_model::{Identifier, TableSet},
    subscriptions::{checkpoints, lock_checkpoints},
};

/// How long a swap holds the active build at its checkpoint until the next build has reached it.
pub(crate) const SWAP_TIMEOUT: Duration = Duration::from_secs(2);

/// How long telling the workers may take, while the active build is held.
const NOTIFY_TIMEOUT: Duration = Duration::from_millis(100);

/// The result of trying to make a build the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// Queries read it now.
    Done,
    /// The active build is ahead. A reader who has seen its rows must not see older ones.
    Behind {
        /// The checkpoint of the build.
        checkpoint: Position,
        /// The checkpoint of the active build.
        seen: Position,
    },
    /// It cannot become the active one in its state.
    Refused(Refused),
    /// A user's view depends on a view that must be dropped.
    ViewInUse(ViewInUse),
    /// Somebody else holds a lock: on a view, or on the tables of the active build, so that its checkpoint cannot be held.
    Blocked(Blocked),
    /// The build or its projection is deleted.
    Deleted,
}

/// Who wants a build to become the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedBy {
    /// An operator, who chose it.
    Operator,
    /// Its deployment: only as long as no other one was deployed. That may happen while the swap waits for the projection's lock.
    Deployment,
}

/// How often the checkpoint of the next build is read while the active one is held.
const POLL: Duration = Duration::from_millis(2);

/// How long a swap waits for a lock, other than those of views.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes a build the active one, in one transaction, if its checkpoint is not behind that of the active one. If it is behind, the
/// active one is held at its checkpoint, for up to `timeout`, until the other has reached it. It is not held before the views are known
/// to be free.
pub(crate) async fn swap(
    pool: &PgPool,
    projection: &Identifier,
    build: BuildId,
    tables: &TableSet,
    (wanted_by, cause): (WantedBy, &str),
    timeout: Duration,
) -> Result<Swapped, sqlx::Error> {
    let (transaction, locks) = begin_waiting(pool, LOCK_TIMEOUT).await?;
    let reason = (wanted_by, cause);
    match locks.explain(swap_within(pool, transaction, projection, build, tables, reason, timeout)).await {
        Ok(swapped) => Ok(swapped),
        Err(ChangeError::Refused { refused, .. }) => Ok(Swapped::Refused(refused)),
        Err(ChangeError::NoProjection(_)) => Ok(Swapped::Deleted),
        Err(ChangeError::ViewInUse(view)) => Ok(Swapped::ViewInUse(view)),
        Err(ChangeError::Blocked(blocked)) => Ok(Swapped::Blocked(blocked)),
        Err(ChangeError::Postgres(error)) => Err(error),
    }
}

async fn swap_within(
    pool: &PgPool,
    mut transaction: Transaction<'static, Postgres>,
    projection: &Identifier,
    build: BuildId,
    tables: &TableSet,
    (wanted_by, cause): (WantedBy, &str),
    timeout: Duration,
) -> Result<Swapped, ChangeError> {
    if !store::lock_projection(&mut transaction, projection).await? {
        return Ok(Swapped::Deleted);
    }
    let builds = store::of_projection(&mut *transaction, projection).await?.unwrap_or_default();
    let active = builds.iter().find(|other| other.state.is_active());
    if active.map(|active| active.id) == Some(build) {
        return Ok(Swapped::Done);
    }
    let Some(next) = builds.iter().find(|other| other.id == build) else { return Ok(Swapped::Deleted) };
    if wanted_by == WantedBy::Deployment && !next.state.activates_when_live() {
        return Ok(Swapped::Refused(Refused::Superseded));
    }
    if let Err(refused) = transition(next.state, Event::Activated) {
        return Ok(Swapped::Refused(refused));
    }
    if let Some(active) = active {
        views::rehearse(&mut transaction, next, tables).await?;
        // The lock holds the active build at its checkpoint.
        let seen = lock_checkpoints(&mut transaction, &[active.id.subscription()]).await?;
        let seen = seen.first().copied().unwrap_or_default();
        // The next one may have passed over events that mean nothing to it. If it is not told in time, it commits in its own time.
        let _ = tokio::time::timeout(NOTIFY_TIMEOUT, store::notify_awaited(pool, seen)).await;
        let checkpoint = wait_for(&mut transaction, build, seen, timeout).await?;
        if checkpoint < seen {
            return Ok(Swapped::Behind { checkpoint, seen });
        }
    }
    turn_queries(&mut transaction, active, next, tables, cause).await?;
    store::notify(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Swapped::Done)
}

/// Turns queries from one build to another.
async fn turn_queries(
    connection: &mut PgConnection,
    from: Option<&Build>,
    to: &Build,
    tables: &TableSet,
    cause: &str,
) -> Result<(), ChangeError> {
    let both: Vec<BuildId> = from.map(|from| from.id).into_iter().chain([to.id]).collect();
    let mut locked = store::lock(connection, &both).await?;
    // The one that is replaced comes first: the schema refuses two active builds even within a transaction.
    locked.sort_by_key(|build| build.id == to.id);
    views::point_to(connection, to, tables).await?;
    for build in locked {
        let (event, cause) = match build.id == to.id {
            true => (Event::Activated, cause.to_owned()),
            false => (Event::Replaced, format!("{} became the active one", to.name())),
        };
        apply_event(connection, build, event, None, &cause).await?;
    }
    Ok(())
}

/// Waits until a build has reached a position, stops, or the timeout is over. Returns its checkpoint.
async fn wait_for(
    connection: &mut PgConnection,
    build: BuildId,
    wanted: Position,
    timeout: Duration,
) -> Result<Position, sqlx::Error> {
    let deadline = Instant::now() + timeout;
    loop {
        let checkpoint = checkpoints(connection, &[build.subscription()]).await?;
        let checkpoint = checkpoint.first().map(|(_, checkpoint)| *checkpoint).unwrap_or_default();
        if checkpoint >= wanted || Instant::now() >= deadline {
            return Ok(checkpoint);
        }
        let found = store::get(&mut *connection, &[build]).await?;
        if !found.iter().any(|build| build.state.is_running()) {
            return Ok(checkpoint);
        }
        tokio::time::sleep(POLL).await;
    }
}
