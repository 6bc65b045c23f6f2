//! Stopping a build for a while, and letting it go on.

use super::{Operations, error::OperateError};
use crate::{
    builds::{BuildId, Changes, Event, Meant, pick},
    read_model::Identifier,
};

impl Operations {
    /// Stops a build, the active one if none is named: when this returns, nothing more is written to it. Queries go on reading
    /// what it holds.
    ///
    /// # Errors
    /// There is no such build, it is not running, or Postgres fails.
    pub async fn pause(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        self.apply(name, build, Event::Paused, "an operator paused it").await
    }

    /// Lets a build go on that was paused, the active one if none is named.
    ///
    /// # Errors
    /// There is no such build, it stopped for another reason, or Postgres fails.
    pub async fn resume(&self, name: &Identifier, build: Option<BuildId>) -> Result<BuildId, OperateError> {
        self.apply(name, build, Event::Resumed, "an operator resumed it").await
    }

    async fn apply(
        &self,
        name: &Identifier,
        build: Option<BuildId>,
        event: Event,
        cause: &str,
    ) -> Result<BuildId, OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let build = pick(name, &changes.builds().await?, build, Meant::ActiveOrNewest)?.id;
        changes.apply(build, event, cause).await?;
        changes.commit().await?;
        Ok(build)
    }
}
