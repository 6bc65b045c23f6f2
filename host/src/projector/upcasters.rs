//! Which upcasters are at work, and what they make of events.

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Postgres, Transaction, types::Json};

use super::{
    BuildId, Projector, Shared,
    build::Status,
    deploy::Activate,
    operation::{Found, OperateError, Operation},
    store::{self, NewBuild, identifier},
};
use crate::{
    event_log::RecordedEvent,
    modules::{LoadError, ModuleVersion},
    read_model::Identifier,
    runtime::{
        Delivery, Descriptor, ProjectionDescriptor, Step, UpcastError, UpcasterChain, UpcasterConflict, conflicts,
    },
};

/// A version of an upcaster. A build goes through the ones that were active when it was begun, whatever is activated later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedUpcaster {
    /// The upcaster.
    pub name: Identifier,
    /// Its version.
    pub version: ModuleVersion,
}

/// An upcaster at work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveUpcaster {
    /// Its name.
    pub name: Identifier,
    /// The version that is active.
    pub active_version: ModuleVersion,
    /// The steps that it takes.
    pub steps: Vec<Step>,
}

/// A build that was begun because an upcaster was activated, or is no longer active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// The projection.
    pub projection: Identifier,
    /// Its new build.
    pub build: BuildId,
}

/// Why upcasters do not work.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// One of them does not run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// They do not fit together.
    #[error(transparent)]
    Conflict(#[from] UpcasterConflict),
    /// One of them failed at an event.
    #[error(transparent)]
    Upcast(#[from] UpcastError),
    /// The thread that they ran on was lost.
    #[error("upcasting was interrupted")]
    Interrupted,
    /// Postgres fails.
    #[error("cannot look up the active upcasters: {0}")]
    Postgres(#[from] sqlx::Error),
}

/// The upcasters that are active now, by name.
pub(super) async fn active(connection: &mut PgConnection) -> Result<Vec<PinnedUpcaster>, sqlx::Error> {
    let rows: Vec<(String, i32)> =
        sqlx::query_as("SELECT name, active_version FROM gnomon.upcasters ORDER BY name").fetch_all(connection).await?;
    let pinned =
        |(name, version)| Ok(PinnedUpcaster { name: identifier(name)?, version: ModuleVersion::from_sql(version) });
    rows.into_iter().map(pinned).collect()
}

/// The upcasters that are active, which do not change until the transaction ends. To be asked before a projection is locked.
pub(super) async fn hold(connection: &mut PgConnection) -> Result<Vec<PinnedUpcaster>, sqlx::Error> {
    sqlx::query("LOCK TABLE gnomon.upcasters IN SHARE MODE").execute(&mut *connection).await?;
    active(connection).await
}

impl Shared {
    /// The chain of these upcasters.
    pub(super) async fn chain(&self, upcasters: &[PinnedUpcaster]) -> Result<UpcasterChain, ChainError> {
        let mut modules = Vec::with_capacity(upcasters.len());
        for upcaster in upcasters {
            modules.push(self.modules.load_upcaster(&upcaster.name, upcaster.version).await?);
        }
        Ok(UpcasterChain::new(modules, self.modules.limits())?)
    }
}

impl Projector {
    /// The upcasters at work, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn upcasters(&self) -> Result<Vec<ActiveUpcaster>, sqlx::Error> {
        let rows: Vec<(String, i32, Json<Descriptor>)> = sqlx::query_as(
            "SELECT name, active_version, descriptor FROM gnomon.upcasters
             JOIN gnomon.module_versions ON module = name AND version = active_version ORDER BY name",
        )
        .fetch_all(&self.shared.pool)
        .await?;
        let upcaster = |(name, version, Json(descriptor))| {
            let steps = match descriptor {
                Descriptor::Upcaster(upcaster) => upcaster.steps,
                Descriptor::Projection(_) => Vec::new(),
            };
            Ok(ActiveUpcaster { name: identifier(name)?, active_version: ModuleVersion::from_sql(version), steps })
        };
        rows.into_iter().map(upcaster).collect()
    }

    /// Brings events to where the active upcasters bring them, which is what a projection begun now would see.
    ///
    /// # Errors
    /// An upcaster does not run here, or fails at an event, or Postgres fails.
    pub async fn upcast(&self, events: Vec<RecordedEvent>) -> Result<Vec<Delivery>, ChainError> {
        let mut connection = self.shared.pool.acquire().await?;
        let upcasters = active(&mut connection).await?;
        drop(connection);
        let mut chain = self.shared.chain(&upcasters).await?;
        let mut events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
        let upcasted = tokio::task::spawn_blocking(move || chain.upcast(&mut events).map(|()| events)).await;
        Ok(upcasted.map_err(|_| ChainError::Interrupted)??)
    }

    /// Puts a version of an upcaster to work: the newest if none is named. Projections that read a type that it rewrites are
    /// built anew, and queries turn to the new builds as they catch up.
    ///
    /// # Errors
    /// There is no such upcaster, it does not fit beside the others, or Postgres fails; then nothing has changed.
    pub async fn activate_upcaster(
        &self,
        name: &Identifier,
        version: Option<ModuleVersion>,
    ) -> Result<(ModuleVersion, Vec<Rebuilt>), OperateError> {
        let version = match version {
            Some(version) => version,
            None => self.newest_version(name).await?,
        };
        let upcaster = self.shared.modules.load_upcaster(name, version).await?;
        let mut transaction = self.begin_change().await?;
        let before = active(&mut transaction).await?;
        if before.contains(&PinnedUpcaster { name: name.clone(), version }) {
            return Ok((version, Vec::new()));
        }
        let mut together = vec![upcaster.clone()];
        for other in before.iter().filter(|other| other.name != *name) {
            together.push(self.shared.modules.load_upcaster(&other.name, other.version).await?);
        }
        let declared: Vec<_> = together.iter().map(|module| (&module.label().name, module.descriptor())).collect();
        let reasons = conflicts(&declared);
        if !reasons.is_empty() {
            return Err(OperateError::Upcasters(UpcasterConflict { reasons }));
        }
        sqlx::query(
            "INSERT INTO gnomon.upcasters (name, active_version) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET active_version = excluded.active_version",
        )
        .bind(name.as_str())
        .bind(version.to_sql())
        .execute(&mut *transaction)
        .await?;
        let mut steps = upcaster.steps().to_vec();
        if let Some(replaced) = before.iter().find(|other| other.name == *name) {
            steps.extend_from_slice(self.shared.modules.load_upcaster(name, replaced.version).await?.steps());
        }
        let cause = format!("upcaster `{name}` version {version} was activated");
        Ok((version, self.rebuild_readers(transaction, &steps, &cause).await?))
    }

    /// Takes an upcaster out of work. Projections that read a type that it rewrites are built anew without it.
    ///
    /// # Errors
    /// It is not at work, or Postgres fails.
    pub async fn deactivate_upcaster(&self, name: &Identifier) -> Result<Vec<Rebuilt>, OperateError> {
        let mut transaction = self.begin_change().await?;
        let version: Option<i32> =
            sqlx::query_scalar("DELETE FROM gnomon.upcasters WHERE name = $1 RETURNING active_version")
                .bind(name.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        let version = version.ok_or_else(|| OperateError::NoUpcaster(name.clone()))?;
        let upcaster = self.shared.modules.load_upcaster(name, ModuleVersion::from_sql(version)).await?;
        let cause = format!("upcaster `{name}` was deactivated");
        self.rebuild_readers(transaction, upcaster.steps(), &cause).await
    }

    async fn newest_version(&self, name: &Identifier) -> Result<ModuleVersion, OperateError> {
        let module = self.shared.modules.get(name).await?;
        module.map(|module| module.latest_version).ok_or_else(|| OperateError::NoUpcaster(name.clone()))
    }

    /// Begins to change what is active: one change at a time, and no build is begun meanwhile, so that what is checked against
    /// each other is what is active together, and no build misses a change.
    async fn begin_change(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let mut transaction = self.shared.pool.begin().await?;
        sqlx::query("LOCK TABLE gnomon.upcasters IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// Begins a new build of each projection that reads events which these steps rewrite, and commits.
    async fn rebuild_readers(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        steps: &[Step],
        cause: &str,
    ) -> Result<Vec<Rebuilt>, OperateError> {
        let upcasters = active(&mut transaction).await?;
        // In the order of their names, as everyone who locks several.
        let projections: Vec<String> = sqlx::query_scalar("SELECT name FROM gnomon.projections ORDER BY name")
            .fetch_all(&mut *transaction)
            .await?;
        let mut rebuilt = Vec::new();
        for projection in projections {
            let projection = identifier(projection)?;
            let mut operation = Operation::on(&self.shared, transaction, &projection).await?;
            if let Some((version, activate)) = in_use(&operation.builds().await?) {
                let module = self.shared.modules.load_projection(&projection, version).await?;
                if reads(module.descriptor(), steps) {
                    let new = NewBuild::of(version, activate, upcasters.clone());
                    let build = operation.begin_build(new, module.tables(), cause).await?;
                    operation.supersede(build, activate).await?;
                    rebuilt.push(Rebuilt { projection, build });
                }
            }
            transaction = operation.into_transaction();
        }
        store::notify(&mut transaction).await?;
        transaction.commit().await?;
        self.shared.look_again.notify_one();
        Ok(rebuilt)
    }
}

/// The version that queries read, or will read. A projection that waits for its operator goes on waiting.
fn in_use(builds: &[Found]) -> Option<(ModuleVersion, Activate)> {
    let mut of_use = builds.iter().filter(|found| found.verifies.is_none() && found.status != Status::Retired);
    let next = of_use.clone().find(|found| found.activate_when_live);
    match next.or_else(|| of_use.clone().find(|found| found.is_active)) {
        Some(found) => Some((found.version, Activate::Auto)),
        None => of_use.next().map(|found| (found.version, Activate::Manual)),
    }
}

/// Whether a projection is given events of a type that steps rewrite.
fn reads(projection: &ProjectionDescriptor, steps: &[Step]) -> bool {
    let wants = |step: &Step| projection.event_types.iter().any(|wanted| wanted.event_type == step.event_type);
    projection.all_types || steps.iter().any(wants)
}
