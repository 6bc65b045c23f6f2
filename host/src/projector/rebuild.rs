//! Building a version again.

use super::{
    BuildId, Projector,
    deploy::Activate,
    operation::{OperateError, Operation},
    store::NewBuild,
    upcasters,
};
use crate::{modules::ModuleVersion, read_model::Identifier};

impl Projector {
    /// Begins a new build of a version, of the active one if none is named; it becomes the active one if `activate` says so.
    ///
    /// # Errors
    /// There is no such projection or version, the version does not run here, or Postgres fails.
    pub async fn rebuild(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
        activate: Activate,
    ) -> Result<BuildId, OperateError> {
        let version = self.version_or_active(name, version).await?;
        let module = self.shared.modules.load_projection(name, version).await?;
        let mut transaction = self.shared.pool.begin().await?;
        let upcasters = upcasters::hold(&mut transaction).await?;
        let mut operation = Operation::on(&self.shared, transaction, name).await?;
        let cause = format!("an operator asked for a rebuild of version {version}");
        let build = operation.begin_build(NewBuild::of(version, activate, upcasters), module.tables(), &cause).await?;
        operation.supersede(build, activate).await?;
        operation.commit().await?;
        Ok(build)
    }

    /// The version that is named, or that of the active build, or of the newest where none is active yet.
    pub(super) async fn version_or_active(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
    ) -> Result<ModuleVersion, OperateError> {
        if let Some(version) = version {
            return Ok(version);
        }
        let mut operation = Operation::begin(&self.shared, name).await?;
        let mut builds = operation.builds().await?;
        builds.retain(|found| found.verifies.is_none());
        let active = builds.iter().find(|found| found.is_active).or(builds.first());
        active
            .map(|found| found.version)
            .ok_or_else(|| operation.none_fits("rebuild", "none was ever begun; deploy a version"))
    }
}
