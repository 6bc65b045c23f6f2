//! Choosing the build that queries read: forward and back.

use std::time::{Duration, Instant};

use super::{Operations, error::OperateError};
use crate::{
    builds::{
        Build, BuildId, ChangeError, Changes, Event, HOLD, Meant, Refused, Stage, Swapped, active_checkpoint, get,
        pick, swap, tables,
    },
    read_model::Identifier,
    subscriptions::checkpoints,
};

/// Events that a build passes while the active one is kept where it is.
const NEAR: u64 = 10_000;
/// How often a build is looked at that is not near yet.
const POLL: Duration = Duration::from_millis(50);

/// The result of an operator's wish to activate a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activated {
    /// Queries read it.
    Now,
    /// Queries will read it when it has caught up.
    WhenCaughtUp,
}

impl Operations {
    /// Makes a build the active one, the newest that is live if none is named. One that has not caught up yet becomes the
    /// active one when it has.
    ///
    /// # Errors
    /// There is no such build, or it cannot be read, or it does not come as far as what queries have seen within `timeout`,
    /// or Postgres fails.
    pub async fn activate(
        &self,
        name: &Identifier,
        build: Option<BuildId>,
        timeout: Duration,
    ) -> Result<(BuildId, Activated), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let found = pick(name, &changes.builds().await?, build, Meant::ToActivate)?.clone();
        if found.state.is_active() {
            return Ok((found.id, Activated::Now));
        }
        let replays = found.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
        if found.state.is_readable() {
            drop(changes);
            self.activate_live(&found, "an operator activated it", timeout).await?;
            return Ok((found.id, Activated::Now));
        }
        // What replays waits until it has caught up; all else is refused with the reason.
        let event = if replays { Event::ActivateWhenLive } else { Event::Activated };
        changes.apply(found.id, event, "an operator asked for it").await?;
        changes.commit().await?;
        Ok((found.id, Activated::WhenCaughtUp))
    }

    /// Goes back to the newest build that was active before the active one was made, and is still kept.
    ///
    /// # Errors
    /// There is no such build, or it does not come as far as what queries have seen within `timeout`, or Postgres fails.
    pub async fn rollback(&self, name: &Identifier, timeout: Duration) -> Result<BuildId, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let earlier = pick(name, &changes.builds().await?, None, Meant::ToRollBackTo)?.clone();
        drop(changes);
        self.activate_live(&earlier, "an operator rolled back", timeout).await?;
        Ok(earlier.id)
    }

    /// Makes a build the active one that has caught up.
    pub(super) async fn activate_live(
        &self,
        build: &Build,
        cause: &str,
        timeout: Duration,
    ) -> Result<(), OperateError> {
        let tables = tables(&self.pool, build).await?;
        self.wait_until_near(build, timeout).await?;
        let (projection, id) = (&build.projection, build.id);
        match swap(&self.pool, projection, id, &tables, cause, timeout.min(HOLD)).await? {
            Swapped::Done => Ok(()),
            Swapped::Behind { checkpoint, seen } => {
                Err(OperateError::Behind { projection: projection.clone(), build: id, checkpoint, seen })
            }
            // It was changed in the meantime.
            Swapped::NotReady(refused) => {
                let now = get(&self.pool, &[id]).await?.pop().unwrap_or_else(|| build.clone());
                let refused = refused.unwrap_or(Refused::Retired);
                Err(ChangeError::Refused { build: Box::new(now), refused }.into())
            }
        }
    }

    /// Waits, while the active build goes on, until a build is nearly as far or cannot come as far by itself.
    async fn wait_until_near(&self, build: &Build, timeout: Duration) -> Result<(), sqlx::Error> {
        let deadline = Instant::now() + timeout;
        loop {
            let seen = active_checkpoint(&self.pool, &build.projection).await?.flatten().unwrap_or_default();
            let mut connection = self.pool.acquire().await?;
            let checkpoint = checkpoints(&mut connection, &[build.id.subscription()]).await?;
            drop(connection);
            let checkpoint = checkpoint.first().map(|(_, checkpoint)| *checkpoint).unwrap_or_default();
            let runs = get(&self.pool, &[build.id]).await?.iter().any(|build| build.state.is_running());
            if seen.0.saturating_sub(checkpoint.0) < NEAR || !runs || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
