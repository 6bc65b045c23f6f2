//! Starting a build of a version.

use std::{sync::Arc, time::Duration};

use sqlx::{Postgres, Transaction};

use super::{Operations, error::OperateError};
use crate::{
    builds::{Activation, Build, BuildId, Changes, Event, NewBuild, Work, hold_upcasters},
    modules::ModuleVersion,
    read_model::{Identifier, Table},
};

/// A version that is deployed, and what was there of it.
pub(super) struct Deployed {
    /// The build of the version.
    pub(super) build: BuildId,
    /// The build as it was, if queries can turn to it at once.
    pub(super) live: Option<Build>,
}

impl Operations {
    /// Sees to it that there is a build of a version, one that is worked on or a new one, and that it becomes the active one
    /// if `activation` says so; answers that build. Older builds that were to become active and have not caught up yet are given up.
    ///
    /// # Errors
    /// The version does not run here, or Postgres fails. Trying again is safe.
    pub async fn deploy(
        &self,
        name: &Identifier,
        version: ModuleVersion,
        activation: Activation,
    ) -> Result<BuildId, OperateError> {
        let module = self.modules.load_projection(name, version).await?;
        let transaction = self.pool.begin().await?;
        let (changes, deployed) = self.deploy_within(transaction, name, version, module.tables(), activation).await?;
        changes.commit().await?;
        self.turn_to(&deployed).await;
        Ok(deployed.build)
    }

    /// The same as part of a transaction that has done other things before, which is the caller's to commit.
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
        let goes_on = |build: &Build| build.state.kept().is_some_and(|kept| kept.work != Work::Failed);
        let existing = changes.builds().await?.into_iter().find(|build| {
            build.version == version && build.upcasters == upcasters && build.verifies.is_none() && goes_on(build)
        });
        let auto = activation == Activation::Auto;
        let deployed = match existing {
            None => {
                let new = NewBuild { version, upcasters, activation, verifies: None };
                let build = changes.begin_build(&new, tables, &format!("version {version} was deployed")).await?;
                Deployed { build, live: None }
            }
            Some(existing) => {
                if auto {
                    changes.apply(existing.id, Event::ActivateWhenLive, "the version was deployed again").await?;
                }
                let live = auto && existing.state.is_readable() && !existing.state.is_active();
                Deployed { build: existing.id, live: live.then_some(existing) }
            }
        };
        if auto {
            changes.supersede_others(deployed.build).await?;
        }
        Ok((changes, deployed))
    }

    /// Lets queries turn to a build at once that is live already. If it is not as far as the active one, or somebody reads a
    /// view for long, it becomes the active one by itself a little later, as a new build does.
    pub(super) async fn turn_to(&self, deployed: &Deployed) {
        if let Some(live) = &deployed.live
            && let Err(error) = self.activate_live(live, "the version was deployed again", Duration::ZERO).await
        {
            tracing::debug!(build = %live.id, %error, "the build is not active yet");
        }
    }
}
