//! Activating and deactivating upcasters.

use std::collections::BTreeMap;

use super::{
    Operations,
    deploy::{Rebuilt, Release, commit},
    error::OperateError,
    reactors::follow_upcasters,
    upcaster_change::deactivate_upcaster,
};
use crate::{
    builds::{Activation, ActiveUpcaster, active_upcasters, describe_upcasters, names_of},
    event_log::RecordedEvent,
    modules::{ChainError, ModuleVersion},
    read_model::Identifier,
    runtime::{Delivery, Module},
};

impl Operations {
    /// The upcasters that are active, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn upcasters(&self) -> Result<Vec<ActiveUpcaster>, sqlx::Error> {
        describe_upcasters(&self.pool).await
    }

    /// Brings events through the active upcasters. The result is what a build that is started now would get.
    ///
    /// # Errors
    /// An upcaster does not run here, or fails at an event, or Postgres fails.
    pub async fn upcast(&self, events: Vec<RecordedEvent>) -> Result<Vec<Delivery>, ChainError> {
        let mut connection = self.pool.acquire().await?;
        let upcasters = active_upcasters(&mut connection).await?;
        drop(connection);
        let chain = self.modules.load_chain(&names_of(&upcasters)).await?;
        self.modules.upcast(chain, events.into_iter().map(Delivery::from).collect()).await
    }

    /// Activates a version of an upcaster, or the newest if none is named. Projections that read a type that goes into it
    /// or comes out of it, also by further upcasters, are rebuilt, and their new builds become active when they have caught up. Reactors that read
    /// such a type get what they have not handled yet as the upcasters make it.
    ///
    /// # Errors
    /// There is no such upcaster, it conflicts with another one, or Postgres fails; then nothing has changed.
    pub async fn activate_upcaster(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
    ) -> Result<(ModuleVersion, Vec<Rebuilt>), OperateError> {
        let version = match version {
            Some(version) => version,
            None => self.newest_version(name).await?,
        };
        let module = Module::Upcaster(self.modules.load_upcaster(name, version).await?);
        let releases = BTreeMap::from([(name.clone(), Release { version, module, from: None })]);
        let (transaction, locks) = self.begin().await?;
        let activated = locks.explain(async {
            let (transaction, done) = self.deploy_within(transaction, &releases, Activation::Auto).await?;
            commit(transaction).await?;
            Ok((version, done.builds.into_iter().map(|build| build.rebuilt).collect()))
        });
        let activated: Result<_, OperateError> = activated.await;
        self.reactors_changed.notify_one();
        activated
    }

    /// Deactivates an upcaster. Projections that read a type that goes into it or comes out of it are rebuilt without it, and
    /// reactors get what they have not handled yet without it.
    ///
    /// # Errors
    /// It is not active, or Postgres fails.
    pub async fn deactivate_upcaster(&self, name: &Identifier) -> Result<Vec<Rebuilt>, OperateError> {
        let (mut transaction, locks) = self.begin().await?;
        let deactivated = locks.explain(async {
            let change = deactivate_upcaster(&mut transaction, name).await?;
            let (mut transaction, builds) =
                self.build_projections(transaction, &change, &BTreeMap::new(), Activation::Auto).await?;
            follow_upcasters(&mut transaction, &change).await?;
            commit(transaction).await?;
            Ok(builds.into_iter().map(|build| build.rebuilt).collect())
        });
        let deactivated: Result<_, OperateError> = deactivated.await;
        self.reactors_changed.notify_one();
        deactivated
    }

    async fn newest_version(&self, name: &Identifier) -> Result<ModuleVersion, OperateError> {
        let module = self.modules.get(name).await?;
        module.map(|module| module.latest_version).ok_or_else(|| OperateError::NoUpcaster(name.clone()))
    }
}
