//! Choosing the build that queries read: activation and rollback.

use std::time::{Duration, Instant};

use super::{Operations, error::OperateError};
use crate::{
    builds::{
        Build, BuildNumber, ChangeError, Changes, DefaultBuild, Event, Refused, SWAP_TIMEOUT, Stage, Swapped,
        active_checkpoint, get, pick, swap, tables,
    },
    read_model::Identifier,
    subscriptions::checkpoints,
};

/// The largest number of events between a build and the active one at which a swap begins: the active one is held while the build
/// folds these.
const MAX_SWAP_DISTANCE: u64 = 10_000;
/// How often the checkpoint of a build is read that is further behind.
const POLL: Duration = Duration::from_millis(50);

/// When a build that an operator activates becomes the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activated {
    /// It is the active one.
    Now,
    /// It becomes the active one when it has caught up.
    WhenCaughtUp,
}

impl Operations {
    /// Makes a build the active one, or the newest live one if none is named. A build that has not caught up yet becomes the active
    /// one when it has.
    ///
    /// # Errors
    /// There is no such build, or queries cannot read it, or it does not reach the checkpoint of the active build within `timeout`,
    /// or Postgres fails.
    pub async fn activate(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
        timeout: Duration,
    ) -> Result<(BuildNumber, Activated), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let found = pick(name, &changes.builds().await?, build, DefaultBuild::ToActivate)?.clone();
        if found.state.is_active() {
            return Ok((found.number, Activated::Now));
        }
        let replays = found.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
        if found.state.is_readable() {
            drop(changes);
            self.activate_live(&found, "an operator activated it", timeout).await?;
            return Ok((found.number, Activated::Now));
        }
        // A replaying build waits until it has caught up. Any other is refused, with the reason that `Activated` has.
        let event = if replays { Event::ActivateWhenLive } else { Event::Activated };
        changes.apply(found.id, event, "an operator asked for it").await?;
        changes.commit().await?;
        Ok((found.number, Activated::WhenCaughtUp))
    }

    /// Makes the newest build that was active before the active one, and that is not retired, the active one again.
    ///
    /// # Errors
    /// There is no such build, or it does not reach the checkpoint of the active build within `timeout`, or Postgres fails.
    pub async fn rollback(&self, name: &Identifier, timeout: Duration) -> Result<BuildNumber, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let earlier = pick(name, &changes.builds().await?, None, DefaultBuild::ToRollBackTo)?.clone();
        drop(changes);
        self.activate_live(&earlier, "an operator rolled back", timeout).await?;
        Ok(earlier.number)
    }

    /// Makes a live build the active one.
    pub(super) async fn activate_live(
        &self,
        build: &Build,
        cause: &str,
        timeout: Duration,
    ) -> Result<(), OperateError> {
        let tables = tables(&self.pool, build).await?;
        self.wait_until_near(build, timeout).await?;
        let (projection, id) = (&build.projection, build.id);
        match swap(&self.pool, projection, id, &tables, cause, timeout.min(SWAP_TIMEOUT)).await? {
            Swapped::Done => Ok(()),
            Swapped::Behind { checkpoint, seen } => {
                Err(OperateError::Behind { projection: projection.clone(), build: build.number, checkpoint, seen })
            }
            // It was changed in the meantime.
            Swapped::Refused(refused) => {
                let now = get(&self.pool, &[id]).await?.pop().unwrap_or_else(|| build.clone());
                Err(ChangeError::Refused { build: Box::new(now), refused }.into())
            }
            Swapped::Deleted => {
                Err(ChangeError::Refused { build: Box::new(build.clone()), refused: Refused::Retired }.into())
            }
        }
    }

    /// Waits, while the active build goes on, until a build has nearly reached its checkpoint, is stopped, or the timeout is over.
    async fn wait_until_near(&self, build: &Build, timeout: Duration) -> Result<(), sqlx::Error> {
        let deadline = Instant::now() + timeout;
        loop {
            let seen = active_checkpoint(&self.pool, &build.projection).await?.found().unwrap_or_default();
            let mut connection = self.pool.acquire().await?;
            let checkpoint = checkpoints(&mut connection, &[build.id.subscription()]).await?;
            drop(connection);
            let checkpoint = checkpoint.first().map(|(_, checkpoint)| *checkpoint).unwrap_or_default();
            let is_running = get(&self.pool, &[build.id]).await?.iter().any(|build| build.state.is_running());
            if seen.0.saturating_sub(checkpoint.0) < MAX_SWAP_DISTANCE || !is_running || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
