//! Rebuilding a version: it gets a new build.

use super::{Operations, error::OperateError};
use crate::{
    builds::{Activation, BuildNumber, Changes, NewBuild, NewBuildPurpose, PickError, hold_upcasters, of_projection},
    modules::ModuleVersion,
    read_model::Identifier,
};

impl Operations {
    /// Starts a new build of a version, or of the active one if none is named. It becomes the active build as `activation` says.
    ///
    /// # Errors
    /// There is no such projection or version, the version does not run here, or Postgres fails.
    pub async fn rebuild(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
        activation: Activation,
    ) -> Result<BuildNumber, OperateError> {
        let version = match version {
            Some(version) => version,
            None => self.active_version(name).await?,
        };
        let module = self.modules.load_projection(name, version).await?;
        let (mut transaction, locks) = self.begin().await?;
        let rebuilt = locks.explain(async {
            let upcasters = hold_upcasters(&mut transaction).await?;
            let mut changes = Changes::within(transaction, name).await?;
            let cause = format!("an operator asked for a rebuild of version {version}");
            let new = NewBuild { version, upcasters, purpose: NewBuildPurpose::Queries(activation) };
            let build = changes.begin_build(&new, module.tables(), self.settings.limits, &cause).await?;
            changes.commit().await?;
            Ok(build.number)
        });
        rebuilt.await
    }

    /// The version of the active build, or of the newest build if none is active yet, even if that is retired.
    async fn active_version(&self, name: &Identifier) -> Result<ModuleVersion, OperateError> {
        let builds = of_projection(&self.pool, name).await?;
        let builds = builds.ok_or_else(|| crate::builds::ChangeError::NoProjection(name.clone()))?;
        let mut of_queries = builds.iter().filter(|build| build.verifies.is_none());
        let active = of_queries.clone().find(|build| build.state.is_active()).or_else(|| of_queries.next());
        let none_fits = || PickError::NoneFits {
            projection: name.clone(),
            action: "rebuild",
            reason: "none was ever started; deploy a version".to_owned(),
        };
        Ok(active.ok_or_else(none_fits)?.version)
    }
}
