//! Letting a version of a reactor work.

use std::collections::BTreeMap;

use super::deployed::DeployedReactor;
use crate::{
    builds::Activation,
    event_log::Position,
    modules::ModuleVersion,
    operations::{
        Operations,
        deploy::{Release, commit},
        error::OperateError,
    },
    reactors::{ChangeError, Deployed},
    read_model::Identifier,
    runtime::Module,
};

impl Operations {
    /// Lets a version of a reactor work, or the newest if none is named. A reactor that has not begun does so at `from`, or with the next event that
    /// comes; else the version goes on where the one before stopped, with its rows.
    ///
    /// # Errors
    /// There is no such version, its tables do not fit the rows that are there, or Postgres fails; then nothing has changed.
    pub async fn activate_reactor(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
        from: Option<Position>,
    ) -> Result<DeployedReactor, OperateError> {
        let version = match version {
            Some(version) => version,
            None => {
                let module = self.modules.get(name).await?;
                module.ok_or_else(|| ChangeError::NoReactor(name.clone()))?.latest_version
            }
        };
        let module = Module::Reactor(self.modules.load_reactor(name, version).await?);
        let releases = BTreeMap::from([(name.clone(), Release { version, module, from })]);
        let (transaction, locks) = self.begin().await?;
        let activated = locks.explain(async {
            let (transaction, done) = self.deploy_within(transaction, &releases, Activation::Auto).await?;
            commit(transaction).await?;
            Ok::<_, OperateError>(done)
        });
        let deployed = activated.await?.reactors.pop();
        self.reactors_changed.notify_one();
        // It is the one that was asked for.
        Ok(deployed.unwrap_or(DeployedReactor { name: name.clone(), version, deployed: Deployed::Unchanged }))
    }
}
