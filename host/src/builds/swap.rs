//! The swap: which build queries read.

use std::time::{Duration, Instant};

use sqlx::{Executor, PgConnection, PgPool};

use super::{
    build::{Build, BuildId},
    changes::{ChangeError, happen},
    state::{Event, Refused},
    store, views,
};
use crate::{
    event_log::Position,
    read_model::{Identifier, TableSet},
    subscriptions::{checkpoints, stand_still},
};

/// How long the active build may be kept where it is while the next one comes as far.
pub(crate) const HOLD: Duration = Duration::from_secs(2);

/// The result of trying to make a build the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// Queries read it now.
    Done,
    /// The build that queries read is further; what a reader has seen must not be followed by something older.
    Behind {
        /// How far the build is.
        checkpoint: Position,
        /// How far the active one is.
        seen: Position,
    },
    /// It is not in a state to be read, or gone.
    NotReady(Option<Refused>),
}

/// How often the checkpoint of a build is looked at that is about to replace the active one.
const POLL: Duration = Duration::from_millis(2);

/// Makes a build the active one, in one transaction, if it is at least as far as the one that is. If it is not, the active one
/// is kept where it is, for up to `timeout`, until the other has come as far.
pub(crate) async fn swap(
    pool: &PgPool,
    projection: &Identifier,
    build: BuildId,
    tables: &TableSet,
    cause: &str,
    timeout: Duration,
) -> Result<Swapped, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // Fail after 2 s instead of keeping all others waiting behind someone who reads a view in a long transaction.
    transaction.execute("SET LOCAL lock_timeout = '2s'").await?;
    if !store::lock_projection(&mut transaction, projection).await? {
        return Ok(Swapped::NotReady(None));
    }
    let builds = store::of_projection(&mut *transaction, projection).await?.unwrap_or_default();
    let active = builds.iter().find(|other| other.state.is_active());
    if active.map(|active| active.id) == Some(build) {
        return Ok(Swapped::Done);
    }
    if !builds.iter().any(|other| other.id == build && other.state.is_readable()) {
        return Ok(Swapped::NotReady(None));
    }
    if let Some(active) = active {
        // From here on the active build stands still.
        let seen = stand_still(&mut transaction, &[active.id.subscription()]).await?;
        let seen = seen.first().copied().unwrap_or_default();
        let checkpoint = wait_for(&mut transaction, build, seen, timeout).await?;
        if checkpoint < seen {
            return Ok(Swapped::Behind { checkpoint, seen });
        }
    }
    match turn(&mut transaction, active, build, tables, cause).await {
        Ok(()) => {}
        Err(ChangeError::Refused { refused, .. }) => return Ok(Swapped::NotReady(Some(refused))),
        Err(ChangeError::NoProjection(_)) => return Ok(Swapped::NotReady(None)),
        Err(ChangeError::Postgres(error)) => return Err(error),
    }
    store::notify(&mut transaction).await?;
    transaction.commit().await?;
    Ok(Swapped::Done)
}

/// Turns queries from one build to another.
async fn turn(
    connection: &mut PgConnection,
    from: Option<&Build>,
    to: BuildId,
    tables: &TableSet,
    cause: &str,
) -> Result<(), ChangeError> {
    let both: Vec<BuildId> = from.map(|from| from.id).into_iter().chain([to]).collect();
    let mut locked = store::lock(connection, &both).await?;
    // The one that is replaced comes first: the schema has no two active builds, not even for a moment.
    locked.sort_by_key(|build| build.id == to);
    if let Some(build) = locked.first() {
        views::point(connection, &build.projection, tables).await?;
    }
    for build in locked {
        let (event, cause) = match build.id == to {
            true => (Event::Activated, cause.to_owned()),
            false => (Event::Replaced, format!("build {to} took its place")),
        };
        happen(connection, build, event, None, &cause).await?;
    }
    Ok(())
}

/// Waits until a build has come to a position; answers how far it is.
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
