//! Choosing the build that queries read: forward and back.

use std::time::{Duration, Instant};

use super::{
    BuildId, Projector,
    build::{Phase, Status},
    operation::{Found, OperateError, Operation},
    swap::{Swapped, swap},
};
use crate::read_model::{Identifier, TableSet};

/// How long the active build may be kept where it is while the next one comes as far.
pub(super) const HOLD: Duration = Duration::from_secs(2);
/// Events that a build passes within that time.
const NEAR: i64 = 10_000;
/// How often a build is looked at that is not near yet.
const POLL: Duration = Duration::from_millis(50);

/// What came of an operator's wish to activate a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activated {
    /// Queries read it.
    Now,
    /// Queries will read it when it has caught up.
    WhenCaughtUp,
}

impl Projector {
    /// Makes a build the active one, the newest that is live if none is named. One that has not caught up yet becomes the
    /// active one when it has.
    ///
    /// # Errors
    /// There is no such build, or it cannot be read, or it does not come as far as what queries have seen within `patience`,
    /// or Postgres fails.
    pub async fn activate(
        &self,
        name: &Identifier,
        build: Option<BuildId>,
        patience: Duration,
    ) -> Result<(BuildId, Activated), OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = match build {
            Some(build) => operation.build(build).await?,
            None => {
                let newest =
                    operation.builds().await?.into_iter().find(|found| !found.is_active && found.is_readable());
                newest.ok_or_else(|| operation.none_fits("activate", "none but the active one has caught up"))?
            }
        };
        if found.is_active {
            return Ok((found.build, Activated::Now));
        }
        if found.verifies.is_some() {
            return Err(operation.wrong_state(&found, "it was made to verify another one; rebuild the projection"));
        }
        if found.status == Status::Retired {
            return Err(operation.wrong_state(&found, "its tables are gone; rebuild the projection"));
        }
        if found.phase == Phase::Live {
            drop(operation);
            self.activate_live(name, found.build, "an operator activated it", patience).await?;
            return Ok((found.build, Activated::Now));
        }
        operation.activate_later(&found).await?;
        operation.commit().await?;
        Ok((found.build, Activated::WhenCaughtUp))
    }

    /// Goes back to the newest build that was active before the active one was made, and is still kept.
    ///
    /// # Errors
    /// There is no such build, or it does not come as far as what queries have seen within `patience`, or Postgres fails.
    pub async fn rollback(&self, name: &Identifier, patience: Duration) -> Result<BuildId, OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let builds = operation.builds().await?;
        let active = builds.iter().find(|found| found.is_active).map(|found| found.build);
        let earlier = builds
            .into_iter()
            .find(|found| Some(found.build) < active && found.was_active && found.is_readable())
            .ok_or_else(|| operation.none_fits("roll back to", "no earlier one that was active is kept"))?;
        drop(operation);
        self.activate_live(name, earlier.build, "an operator rolled back", patience).await?;
        Ok(earlier.build)
    }

    /// Makes a build the active one that has caught up.
    pub(super) async fn activate_live(
        &self,
        name: &Identifier,
        build: BuildId,
        cause: &str,
        patience: Duration,
    ) -> Result<(), OperateError> {
        let mut operation = Operation::begin(&self.shared, name).await?;
        let found = operation.build(build).await?;
        drop(operation);
        let module = self.shared.modules.load_projection(name, found.version).await?;
        let tables = TableSet::new(build.schema(), module.tables());
        self.wait_until_near(name, build, patience).await?;
        match swap(&self.shared.pool, name, build, &tables, cause, patience.min(HOLD)).await? {
            Swapped::Done => Ok(()),
            Swapped::Behind { checkpoint, seen } => {
                Err(OperateError::Behind { projection: name.clone(), build, checkpoint, seen })
            }
            Swapped::NotReady => Err(OperateError::NoBuild { projection: name.clone(), build }),
        }
    }

    /// Waits, while the active build goes on, until a build is nearly as far or cannot come as far by itself.
    async fn wait_until_near(&self, name: &Identifier, build: BuildId, patience: Duration) -> Result<(), sqlx::Error> {
        let deadline = Instant::now() + patience;
        loop {
            let (behind, running): (Option<i64>, bool) = sqlx::query_as(
                "SELECT active.checkpoint - own.checkpoint, status = 'running'
                 FROM gnomon.builds JOIN gnomon.build_progress AS own USING (build)
                 JOIN gnomon.projections ON name = projection
                 LEFT JOIN gnomon.build_progress AS active ON active.build = active_build
                 WHERE builds.build = $1 AND name = $2",
            )
            .bind(build.0)
            .bind(name.as_str())
            .fetch_optional(&self.shared.pool)
            .await?
            .unwrap_or((None, false));
            if behind.is_none_or(|behind| behind < NEAR) || !running || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Operation<'_> {
    /// Lets a build become the active one by itself.
    pub(super) async fn activate_later(&mut self, found: &Found) -> Result<(), OperateError> {
        self.set_activate_when_live(found, true).await
    }

    pub(super) async fn set_activate_when_live(
        &mut self,
        found: &Found,
        activate_when_live: bool,
    ) -> Result<(), OperateError> {
        if found.activate_when_live == activate_when_live {
            return Ok(());
        }
        // Whoever works on it learns of it with the next lease.
        self.take_over(&[found.build]).await?;
        sqlx::query("UPDATE gnomon.builds SET activate_when_live = $2 WHERE build = $1")
            .bind(found.build.0)
            .bind(activate_when_live)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
