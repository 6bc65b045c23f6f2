//! Deploying a version: it gets a build.

use std::{sync::Arc, time::Duration};

use sqlx::{Postgres, Transaction};

use super::{Operations, activate::ReplacedBuild, error::OperateError};
use crate::{
    builds::{Activation, Build, BuildNumber, Changes, Event, NewBuild, NewBuildPurpose, Work, hold_upcasters},
    modules::ModuleVersion,
    read_model::{Identifier, Table},
};

/// The result of deploying a version.
pub(super) struct Deployed {
    /// The build of the version.
    pub(super) build: Build,
    /// The build before the deployment, if it is live already and is to become the active one at once.
    pub(super) live: Option<Build>,
    /// The active build, if it is another one that this one is to replace.
    pub(super) replaces: Option<ReplacedBuild>,
}

impl Operations {
    /// Deploys a version: returns its build, which is a new one unless there is one that has not failed. The build becomes the active
    /// one if `activation` is auto; older builds that were to become active and have not caught up yet are then retired.
    ///
    /// # Errors
    /// The version does not run here, or Postgres fails. Trying again is safe.
    pub async fn deploy(
        &self,
        name: &Identifier,
        version: ModuleVersion,
        activation: Activation,
    ) -> Result<BuildNumber, OperateError> {
        let module = self.modules.load_projection(name, version).await?;
        let transaction = crate::postgres::begin(&self.pool).await?;
        let (changes, deployed) = self.deploy_within(transaction, name, version, module.tables(), activation).await?;
        changes.commit().await?;
        self.activate_if_live(&deployed).await;
        Ok(deployed.build.number)
    }

    /// Deploys a version in a transaction that the caller has begun, and that the caller commits.
    pub(super) async fn deploy_within(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        name: &Identifier,
        version: ModuleVersion,
        tables: &[Arc<Table>],
        activation: Activation,
    ) -> Result<(Changes, Deployed), OperateError> {
        let upcasters = hold_upcasters(&mut transaction).await?;
        let mut changes = Changes::within_new(transaction, name).await?;
        let is_usable = |build: &Build| build.state.kept().is_some_and(|kept| kept.work != Work::Failed);
        let builds = changes.builds().await?;
        let existing = builds.iter().find(|build| {
            build.version == version && build.upcasters == upcasters && build.verifies.is_none() && is_usable(build)
        });
        let auto = activation == Activation::Auto;
        let mut deployed = match existing {
            None => {
                let new = NewBuild { version, upcasters, purpose: NewBuildPurpose::Queries(activation) };
                let build = changes.begin_build(&new, tables, &format!("version {version} was deployed")).await?;
                Deployed { replaces: None, build, live: None }
            }
            Some(existing) => {
                if auto {
                    changes.apply(existing.id, Event::ActivateWhenLive, "the version was deployed again").await?;
                }
                let live = auto && existing.state.is_readable() && !existing.state.is_active();
                Deployed { replaces: None, live: live.then(|| existing.clone()), build: existing.clone() }
            }
        };
        if auto {
            changes.supersede_others(&deployed.build).await?;
            deployed.replaces = ReplacedBuild::by(&deployed.build, &builds);
        }
        Ok((changes, deployed))
    }

    /// Makes a build that is live already the active one at once. If it is behind the active one, or a reader holds a view for long,
    /// its worker makes it the active one later, as it does with a new build.
    pub(super) async fn activate_if_live(&self, deployed: &Deployed) {
        if let Some(live) = &deployed.live
            && let Err(error) = self.activate_live(live, "the version was deployed again", Duration::ZERO).await
        {
            tracing::debug!(build = %live.number, projection = %live.projection, %error, "the build is not active yet");
        }
    }
}
