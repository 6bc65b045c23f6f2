//! Retiring builds, and deleting projections.

use super::{Operations, error::OperateError};
use crate::{
    builds::{BuildNumber, Changes, DefaultBuild, Event, find_verification, pick},
    read_model::Identifier,
};

impl Operations {
    /// Drops a build's tables and dead letters. Its number and its history stay.
    ///
    /// # Errors
    /// There is no such build, queries read it, or Postgres fails.
    pub async fn retire(&self, name: &Identifier, build: BuildNumber) -> Result<(), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let build = pick(name, &changes.builds().await?, Some(build), DefaultBuild::Active)?.id;
        changes.apply(build, Event::Retired, "an operator retired it").await?;
        Ok(changes.commit().await?)
    }

    /// Ends a verification: drops the tables of the build that was made for it.
    ///
    /// # Errors
    /// There is no such verification, or Postgres fails.
    pub async fn end_verification(&self, name: &Identifier, verification: BuildNumber) -> Result<(), OperateError> {
        let mut changes = Changes::begin(&self.pool, name).await?;
        let build = find_verification(name, &changes.builds().await?, verification)?.id;
        changes.apply(build, Event::Retired, "the verification has ended").await?;
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
