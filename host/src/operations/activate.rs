//! Choosing the build that queries read: activation and rollback.

use std::time::{Duration, Instant};

use sqlx::{Postgres, Transaction};

use super::{Operations, error::OperateError};
use crate::{
    builds::{
        Build, BuildNumber, ChangeError, Changes, DefaultBuild, Event, Refused, SWAP_TIMEOUT, Stage, Swapped, WantedBy,
        active_checkpoint, get, of_projection, pick, swap, tables,
    },
    modules::ModuleVersion,
    read_model::Identifier,
    subscriptions::checkpoints,
};

/// The largest number of events between a build and the active one at which a swap begins: the active one is held while the build
/// folds these.
const MAX_SWAP_DISTANCE: u64 = 10_000;
/// How often the checkpoint of a build is read that is further behind.
const POLL: Duration = Duration::from_millis(50);

/// The result of activating a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activated {
    /// The build.
    pub build: BuildNumber,
    /// When it becomes the active one.
    pub when: When,
}

/// When a build that an operator activates becomes the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is the active one now, and has replaced this one.
    Now(Option<ReplacedBuild>),
    /// It was the active one already.
    Already,
    /// It becomes the active one when it has caught up.
    WhenCaughtUp,
}

/// The build that was active until another one became so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplacedBuild {
    /// Its number.
    pub build: BuildNumber,
    /// The version that it materialises.
    pub version: ModuleVersion,
}

impl ReplacedBuild {
    /// The active one of a projection's builds, if it is not this one.
    pub(super) fn by(build: &Build, builds: &[Build]) -> Option<Self> {
        let active = builds.iter().find(|other| other.state.is_active() && other.id != build.id)?;
        Some(Self { build: active.number, version: active.version })
    }
}

impl Operations {
    /// Makes a build the active one. If none is named, it is the newest one that is newer than the active one, has caught up and is
    /// worked on; if none is newer, nothing changes. A named build that has not caught up yet becomes the active one when it has.
    ///
    /// # Errors
    /// There is no such build, or newer ones must be named, or queries cannot read it, or it does not reach the checkpoint of the active build within `timeout`,
    /// or Postgres fails.
    pub async fn activate(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
        timeout: Duration,
    ) -> Result<Activated, OperateError> {
        let (transaction, locks) = self.begin().await?;
        let (found, builds, when) = locks.explain(choose(transaction, name, build)).await?;
        let when = match when {
            Some(when) => when,
            None => {
                self.activate_live(&found, (WantedBy::Operator, "an operator activated it"), timeout).await?;
                When::Now(ReplacedBuild::by(&found, &builds))
            }
        };
        Ok(Activated { build: found.number, when })
    }

    /// Makes the newest build that was active before the active one, and that is not retired, the active one again.
    ///
    /// # Errors
    /// There is no such build, or it is stopped, or it does not reach the checkpoint of the active build within `timeout`, or Postgres fails.
    pub async fn rollback(&self, name: &Identifier, timeout: Duration) -> Result<Activated, OperateError> {
        // What it is based on is checked again by the swap, under the projection's lock.
        let builds = of_projection(&self.pool, name).await?;
        let builds = builds.ok_or_else(|| ChangeError::NoProjection(name.clone()))?;
        let earlier = pick(name, &builds, None, DefaultBuild::ToRollBackTo)?.clone();
        self.activate_live(&earlier, (WantedBy::Operator, "an operator rolled back"), timeout).await?;
        Ok(Activated { build: earlier.number, when: When::Now(ReplacedBuild::by(&earlier, &builds)) })
    }

    /// Makes a live build the active one.
    pub(super) async fn activate_live(
        &self,
        build: &Build,
        reason: (WantedBy, &str),
        timeout: Duration,
    ) -> Result<(), OperateError> {
        let tables = tables(&self.pool, build).await?;
        self.wait_until_near(build, timeout).await?;
        let (projection, id) = (&build.projection, build.id);
        match swap(&self.pool, projection, id, &tables, reason, timeout.min(SWAP_TIMEOUT)).await? {
            Swapped::Done => Ok(()),
            Swapped::Behind { checkpoint, seen } => {
                Err(OperateError::Behind { projection: projection.clone(), build: build.number, checkpoint, seen })
            }
            Swapped::ViewInUse(view) => Err(ChangeError::ViewInUse(view).into()),
            Swapped::Blocked(blocked) => Err(ChangeError::Blocked(blocked).into()),
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

/// The build that an operator wants to be the active one, the builds of its projection, and when it becomes the active one; `None` if
/// it is live, and has to be made so.
async fn choose(
    transaction: Transaction<'static, Postgres>,
    name: &Identifier,
    build: Option<BuildNumber>,
) -> Result<(Build, Vec<Build>, Option<When>), OperateError> {
    let mut changes = Changes::within(transaction, name).await?;
    let builds = changes.builds().await?;
    let found = pick(name, &builds, build, DefaultBuild::ToActivate)?.clone();
    if found.state.is_active() {
        return Ok((found, builds, Some(When::Already)));
    }
    if found.state.is_readable() {
        return Ok((found, builds, None));
    }
    // A replaying build waits until it has caught up. Any other is refused, with the reason that `Activated` has.
    let replays = found.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying);
    let event = if replays { Event::ActivateWhenLive } else { Event::Activated };
    changes.apply(found.id, event, "an operator asked for it").await?;
    changes.commit().await?;
    Ok((found, builds, Some(When::WhenCaughtUp)))
}
