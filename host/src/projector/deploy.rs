//! Starting a build of a version.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    BuildId, Projector,
    build::{Phase, Status},
    history::Change,
    operation::{OperateError, Operation},
    store::{self, NewBuild},
    upcasters,
};
use crate::{
    modules::ModuleVersion,
    read_model::{Identifier, Table, TableSet},
};

/// When a build becomes the active one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activate {
    /// By itself, when it has caught up.
    #[default]
    Auto,
    /// When an operator says so.
    Manual,
}

impl Projector {
    /// Sees to it that there is a build of a version, one that is worked on or a new one, and that it becomes the active one
    /// if `activate` says so; answers that build. Older builds that were to become active and have not caught up yet are given up.
    ///
    /// # Errors
    /// The version does not run here, or Postgres fails. Trying again is safe.
    pub async fn deploy(
        &self,
        name: &Identifier,
        version: ModuleVersion,
        activate: Activate,
    ) -> Result<BuildId, OperateError> {
        let module = self.shared.modules.load_projection(name, version).await?;
        let mut transaction = self.shared.pool.begin().await?;
        let upcasters = upcasters::hold(&mut transaction).await?;
        let mut operation = Operation::on_new(&self.shared, transaction, name).await?;
        let existing = operation.builds().await?.into_iter().find(|found| {
            found.version == version
                && found.upcasters == upcasters
                && found.verifies.is_none()
                && matches!(found.status, Status::Running | Status::Paused | Status::Halted)
        });
        let Some(existing) = existing else {
            let tables = module.tables();
            let cause = format!("version {version} was deployed");
            let build = operation.begin_build(NewBuild::of(version, activate, upcasters), tables, &cause).await?;
            operation.supersede(build, activate).await?;
            operation.commit().await?;
            return Ok(build);
        };
        if activate == Activate::Auto && !existing.is_active {
            operation.activate_later(&existing).await?;
            operation.supersede(existing.build, activate).await?;
        }
        operation.commit().await?;
        if activate == Activate::Auto && existing.phase == Phase::Live && !existing.is_active {
            match self.activate_live(name, existing.build, "the version was deployed again", Duration::ZERO).await {
                // Now it becomes the active one by itself, as a new build does, when it has come as far.
                Ok(()) | Err(OperateError::Behind { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(existing.build)
    }
}

impl Operation<'_> {
    /// Enters a new build and makes its tables.
    pub(super) async fn begin_build(
        &mut self,
        new: NewBuild,
        tables: &[Arc<Table>],
        cause: &str,
    ) -> Result<BuildId, OperateError> {
        let projection = self.projection().clone();
        let build = store::insert_build(self.connection(), &projection, &new).await?;
        TableSet::new(build.schema(), tables).create(self.connection()).await?;
        self.note(Some(build), Change::Begun, cause).await?;
        Ok(build)
    }

    /// Gives older builds up that were to become active before this one.
    pub(super) async fn supersede(&mut self, build: BuildId, activate: Activate) -> Result<(), OperateError> {
        if activate == Activate::Manual {
            return Ok(());
        }
        for found in self.builds().await? {
            let waits = found.activate_when_live && !found.is_active && found.build != build;
            if !waits || found.status == Status::Retired {
                continue;
            }
            if found.phase == Phase::Replaying {
                self.retire(found.build, &format!("build {build} takes its place")).await?;
            } else {
                self.set_activate_when_live(&found, false).await?;
            }
        }
        Ok(())
    }
}
