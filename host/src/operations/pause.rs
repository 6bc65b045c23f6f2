//! Pausing and resuming a build.

use super::{Operations, error::OperateError};
use crate::{
    builds::{BuildNumber, Changes, DefaultBuild, Event, pick},
    read_model::Identifier,
};

impl Operations {
    /// Pauses a build, or the active one if none is named. When this returns, nothing more is written to it; queries go on reading
    /// it.
    ///
    /// # Errors
    /// There is no such build, it is not running, or Postgres fails.
    pub async fn pause(&self, name: &Identifier, build: Option<BuildNumber>) -> Result<BuildNumber, OperateError> {
        self.apply(name, build, Event::Paused, "an operator paused it").await
    }

    /// Resumes a paused build, or the active one if none is named.
    ///
    /// # Errors
    /// There is no such build, it stopped for another reason, or Postgres fails.
    pub async fn resume(&self, name: &Identifier, build: Option<BuildNumber>) -> Result<BuildNumber, OperateError> {
        self.apply(name, build, Event::Resumed, "an operator resumed it").await
    }

    async fn apply(
        &self,
        name: &Identifier,
        build: Option<BuildNumber>,
        event: Event,
        cause: &str,
    ) -> Result<BuildNumber, OperateError> {
        let (transaction, locks) = self.begin().await?;
        let applied = locks.explain(async {
            let mut changes = Changes::within(transaction, name).await?;
            let build = pick(name, &changes.builds().await?, build, DefaultBuild::ActiveOrNewest)?.clone();
            changes.apply(build.id, event, cause).await?;
            changes.commit().await?;
            Ok(build.number)
        });
        applied.await
    }
}
