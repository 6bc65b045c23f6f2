//! Activating and deactivating upcasters.

use sqlx::{Postgres, Transaction};

use super::{Operations, error::OperateError};
use crate::{
    builds::{
        self, Activation, ActiveUpcaster, Build, BuildNumber, Changes, NewBuild, NewBuildPurpose, PinnedUpcaster,
        State, active_upcasters, begin_upcaster_change, describe_upcasters, names_of, remove_active_upcaster,
        set_active_upcaster,
    },
    event_log::{NameFilter, RecordedEvent},
    modules::{ChainError, ModuleVersion, upcast},
    read_model::Identifier,
    runtime::{Delivery, ProjectionDescriptor, Step, UpcasterConflict, UpcasterModule, conflicts},
};

/// A build that was started because an upcaster was activated or deactivated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The projection.
    pub projection: Identifier,
    /// Its new build.
    pub build: BuildNumber,
}

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
        upcast(chain, events.into_iter().map(Delivery::from).collect()).await
    }

    /// Activates a version of an upcaster, or the newest if none is named. Projections that read a type that it rewrites are
    /// rebuilt, and their new builds become active when they have caught up.
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
        let upcaster = self.modules.load_upcaster(name, version).await?;
        let transaction = crate::postgres::begin(&self.pool).await?;
        let (transaction, rebuilt) = self.activate_upcaster_within(transaction, name, version, &upcaster).await?;
        commit(transaction).await?;
        Ok((version, rebuilt))
    }

    /// Activates a version of an upcaster in a transaction that the caller has begun, and that the caller commits.
    pub(super) async fn activate_upcaster_within(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        name: &Identifier,
        version: ModuleVersion,
        upcaster: &UpcasterModule,
    ) -> Result<(Transaction<'static, Postgres>, Vec<Rebuilt>), OperateError> {
        begin_upcaster_change(&mut transaction).await?;
        let before = active_upcasters(&mut transaction).await?;
        if before.contains(&PinnedUpcaster { name: name.clone(), version }) {
            return Ok((transaction, Vec::new()));
        }
        let mut active_then = vec![upcaster.clone()];
        for other in before.iter().filter(|other| other.name != *name) {
            active_then.push(self.modules.load_upcaster(&other.name, other.version).await?);
        }
        let declared: Vec<_> = active_then.iter().map(|module| (&module.label().name, module.descriptor())).collect();
        let reasons = conflicts(&declared);
        if !reasons.is_empty() {
            return Err(OperateError::Upcasters(UpcasterConflict { reasons }));
        }
        set_active_upcaster(&mut transaction, name, version).await?;
        // Projections that read what the version before rewrote are rebuilt as well.
        let mut steps = upcaster.steps().to_vec();
        if let Some(replaced) = before.iter().find(|other| other.name == *name) {
            steps.extend_from_slice(self.modules.load_upcaster(name, replaced.version).await?.steps());
        }
        let cause = format!("upcaster `{name}` version {version} was activated");
        self.rebuild_readers(transaction, &steps, &cause).await
    }

    /// Deactivates an upcaster. Projections that read a type that it rewrites are rebuilt without it.
    ///
    /// # Errors
    /// It is not active, or Postgres fails.
    pub async fn deactivate_upcaster(&self, name: &Identifier) -> Result<Vec<Rebuilt>, OperateError> {
        let mut transaction = crate::postgres::begin(&self.pool).await?;
        begin_upcaster_change(&mut transaction).await?;
        let version = remove_active_upcaster(&mut transaction, name).await?;
        let version = version.ok_or_else(|| OperateError::NoUpcaster(name.clone()))?;
        let upcaster = self.modules.load_upcaster(name, version).await?;
        let cause = format!("upcaster `{name}` was deactivated");
        let (transaction, rebuilt) = self.rebuild_readers(transaction, upcaster.steps(), &cause).await?;
        commit(transaction).await?;
        Ok(rebuilt)
    }

    async fn newest_version(&self, name: &Identifier) -> Result<ModuleVersion, OperateError> {
        let module = self.modules.get(name).await?;
        module.map(|module| module.latest_version).ok_or_else(|| OperateError::NoUpcaster(name.clone()))
    }

    /// Starts a new build of each projection that reads events that these steps rewrite.
    async fn rebuild_readers(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        steps: &[Step],
        cause: &str,
    ) -> Result<(Transaction<'static, Postgres>, Vec<Rebuilt>), OperateError> {
        let upcasters = active_upcasters(&mut transaction).await?;
        let mut rebuilt = Vec::new();
        // Projections are locked by name, the order of all transactions that lock several.
        for projection in builds::projections(&mut transaction).await? {
            let mut changes = Changes::within(transaction, &projection).await?;
            if let Some((version, activation)) = version_in_use(&changes.builds().await?) {
                let module = self.modules.load_projection(&projection, version).await?;
                if reads(module.descriptor(), steps) {
                    let purpose = NewBuildPurpose::Queries(activation);
                    let new = NewBuild { version, upcasters: upcasters.clone(), purpose };
                    let build = changes.begin_build(&new, module.tables(), cause).await?;
                    if activation == Activation::Auto {
                        changes.supersede_others(&build).await?;
                    }
                    rebuilt.push(Rebuilt { projection, build: build.number });
                }
            }
            transaction = changes.into_transaction();
        }
        Ok((transaction, rebuilt))
    }
}

/// Commits, and wakes the supervisors of all hosts.
async fn commit(mut transaction: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    builds::notify(&mut transaction).await?;
    transaction.commit().await
}

/// The version to rebuild: the one that is to become active, or else the active one. If there is neither, the newest one, whose new
/// build waits for an operator as the old one does.
fn version_in_use(builds: &[Build]) -> Option<(ModuleVersion, Activation)> {
    let mut usable = builds.iter().filter(|build| build.verifies.is_none() && build.state != State::Retired);
    let next = usable.clone().find(|build| build.state.activates_when_live());
    match next.or_else(|| usable.clone().find(|build| build.state.is_active())) {
        Some(build) => Some((build.version, Activation::Auto)),
        None => usable.next().map(|build| (build.version, Activation::Manual)),
    }
}

/// Whether a projection reads events of a type that one of the steps rewrites.
fn reads(projection: &ProjectionDescriptor, steps: &[Step]) -> bool {
    let types = projection.filter().types;
    types == NameFilter::All || steps.iter().any(|step| types.admits(&step.event_type))
}
