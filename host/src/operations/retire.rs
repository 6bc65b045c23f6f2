//! Retiring builds, and deleting projections.

use super::{Operations, error::OperateError};
use crate::{
    builds::{BuildId, Changes, DefaultBuild, Event, pick},
    read_model::Identifier,
};

impl Operations {
    /// Drops a build's tables and dead letters. Its number and its history stay.
    ///
    /// # Errors
    /// There is no such build, queries read it, or Postgres fails.
    pub async fn retire(&self, name: &Identifier, build: BuildId) -> Result<(), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        pick(name, &changes.builds().await?, Some(build), DefaultBuild::Active)?;
        changes.apply(build, Event::Retired, "an operator retired it").await?;
        Ok(changes.commit().await?)
    }

    /// Deletes a projection: its builds, their tables, and the views. Events, modules and the history stay; when the module is
    /// uploaded again, its new build begins with the first event.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn delete(&self, name: &Identifier) -> Result<(), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        changes.delete().await?;
        Ok(changes.commit().await?)
    }
}
