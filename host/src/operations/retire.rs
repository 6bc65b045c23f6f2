//! Retiring builds, and deleting projections.

use super::{Operations, error::OperateError};
use crate::{
    builds::{Build, BuildId, BuildNumber, Changes, DefaultBuild, Event, PickError, find_verification, pick},
    read_model::Identifier,
};

impl Operations {
    /// Drops a build's tables and dead letters. Its number and its history stay.
    ///
    /// # Errors
    /// There is no such build, queries read it, or Postgres fails.
    pub async fn retire(&self, name: &Identifier, build: BuildNumber) -> Result<(), OperateError> {
        let pick = |builds: &[Build]| Ok(pick(name, builds, Some(build), DefaultBuild::Active)?.id);
        self.retire_one(name, pick, "an operator retired it").await
    }

    /// Ends a verification: drops the tables of the build that was made for it.
    ///
    /// # Errors
    /// There is no such verification, or Postgres fails.
    pub async fn end_verification(&self, name: &Identifier, verification: BuildNumber) -> Result<(), OperateError> {
        let pick = |builds: &[Build]| Ok(find_verification(name, builds, verification)?.id);
        self.retire_one(name, pick, "the verification has ended").await
    }

    async fn retire_one(
        &self,
        name: &Identifier,
        pick: impl Fn(&[Build]) -> Result<BuildId, PickError>,
        cause: &str,
    ) -> Result<(), OperateError> {
        let (transaction, locks) = self.begin().await?;
        let retired = locks.explain(async {
            let mut changes = Changes::within(transaction, name).await?;
            let build = pick(&changes.builds().await?)?;
            changes.apply(build, Event::Retired, cause).await?;
            Ok(changes.commit().await?)
        });
        retired.await
    }

    /// Deletes a projection: its builds, their tables, and the views. Events, modules and the history stay; when the module is
    /// uploaded again, its new build begins with the first event.
    ///
    /// # Errors
    /// There is no such projection, or Postgres fails.
    pub async fn delete(&self, name: &Identifier) -> Result<(), OperateError> {
        let (transaction, locks) = self.begin().await?;
        let deleted = locks.explain(async {
            let mut changes = Changes::within(transaction, name).await?;
            changes.delete().await?;
            Ok(changes.commit().await?)
        });
        deleted.await
    }
}
