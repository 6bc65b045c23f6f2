//! Deploying versions: upcasters become active and projections get builds, in one transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sqlx::{Postgres, Transaction};

use super::{
    Operations,
    activate::ReplacedBuild,
    error::OperateError,
    reactors::{self, DeployedReactor},
    upcaster_change::{UpcasterChange, activate_upcasters},
};
use crate::{
    builds::{
        self, Activation, Build, BuildNumber, Changes, Event, NewBuild, NewBuildPurpose, State, WantedBy, Work,
        hold_upcasters,
    },
    event_log::Position,
    modules::ModuleVersion,
    read_model::Identifier,
    runtime::{Module, ModuleKind, ProjectionModule},
};

/// The build of a projection that a deployment concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The projection.
    pub projection: Identifier,
    /// Its build.
    pub build: BuildNumber,
    /// The active build, if it is of a version that was deployed, and this one is to replace it.
    pub replaces: Option<ReplacedBuild>,
}

/// The result of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The modules that were deployed, by name.
    pub modules: Vec<(Identifier, ModuleVersion, ModuleKind)>,
    /// A build for each projection that is concerned, by name: those that were deployed, and those that read a type that goes into
    /// a deployed upcaster or comes out of it.
    pub builds: Vec<Rebuilt>,
    /// The reactors that were deployed, by name.
    pub reactors: Vec<DeployedReactor>,
}

/// A version to deploy, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) version: ModuleVersion,
    pub(super) module: Module,
    /// The first event that it is to get, if it is a reactor that has not begun.
    pub(super) from: Option<Position>,
}

/// What a deployment has done in its transaction.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) builds: Vec<DeployedBuild>,
    pub(super) reactors: Vec<DeployedReactor>,
}

/// The build of a projection, after a deployment.
#[derive(Clone, Debug)]
pub(super) struct DeployedBuild {
    pub(super) rebuilt: Rebuilt,
    /// The build before the deployment, if it is live already and is to become the active one at once.
    live: Option<Build>,
}

impl Operations {
    /// Deploys versions of several modules as one change. The upcasters become active, the reactors work; each projection that is given, or that reads
    /// a type that goes into one of the upcasters or comes out of it, has one build that goes through all of them, which is a new one
    /// unless there is one that has not failed. The builds become active if `activation` is auto; older builds that were to become
    /// active and have not caught up yet are then retired. The same deployment again changes nothing and has the same result.
    ///
    /// # Errors
    /// There is no such version, it does not run here, a module is named twice, upcasters conflict, or Postgres fails; then nothing
    /// has changed.
    pub async fn deploy(
        &self,
        versions: &[(Identifier, ModuleVersion)],
        activation: Activation,
    ) -> Result<Deployment, OperateError> {
        if versions.is_empty() {
            return Err(OperateError::NothingToDeploy);
        }
        let mut releases = BTreeMap::new();
        for (name, version) in versions {
            if releases.contains_key(name) {
                return Err(OperateError::DeployedTwice(name.clone()));
            }
            let module = self.modules.load(name, *version).await?;
            releases.insert(name.clone(), Release { version: *version, module, from: None });
        }
        let (transaction, locks) = self.begin().await?;
        let deployed = locks.explain(async {
            let (transaction, done) = self.deploy_within(transaction, &releases, activation).await?;
            commit(transaction).await?;
            Ok::<_, OperateError>(done)
        });
        let Done { builds, reactors } = deployed.await?;
        self.reactors_changed.notify_one();
        self.activate_live_ones(&builds).await;
        let modules = releases.into_iter().map(|(name, Release { version, module, .. })| {
            let kind = module.descriptor().kind();
            (name, version, kind)
        });
        let modules = modules.collect();
        Ok(Deployment { modules, builds: builds.into_iter().map(|build| build.rebuilt).collect(), reactors })
    }

    /// Deploys versions in a transaction that the caller has begun, and that the caller commits.
    pub(super) async fn deploy_within(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        releases: &BTreeMap<Identifier, Release>,
        activation: Activation,
    ) -> Result<(Transaction<'static, Postgres>, Done), OperateError> {
        let (mut upcasters, mut projections, mut reactors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, Release { version, module, from }) in releases {
            match module {
                Module::Upcaster(upcaster) => drop(upcasters.insert(name, (*version, upcaster))),
                Module::Projection(projection) => drop(projections.insert(name, (*version, projection))),
                Module::Reactor(reactor) => drop(reactors.insert(name, (*version, reactor, *from))),
            }
        }
        let change = if upcasters.is_empty() {
            UpcasterChange::none(hold_upcasters(&mut transaction).await?)
        } else {
            activate_upcasters(&mut transaction, &self.modules, &upcasters).await?
        };
        let (mut transaction, builds) = self.build_projections(transaction, &change, &projections, activation).await?;
        let reactors = reactors::activate(&mut transaction, &reactors, &change.active).await?;
        reactors::follow_upcasters(&mut transaction, &change).await?;
        Ok((transaction, Done { builds, reactors }))
    }

    /// Has a build for each of these projections, and for those that read what a change of upcasters rewrites.
    pub(super) async fn build_projections(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        change: &UpcasterChange,
        releases: &BTreeMap<&Identifier, (ModuleVersion, &ProjectionModule)>,
        activation: Activation,
    ) -> Result<(Transaction<'static, Postgres>, Vec<DeployedBuild>), OperateError> {
        let mut names: BTreeSet<Identifier> = releases.keys().map(|name| (*name).clone()).collect();
        if change.rewrites_something() {
            names.extend(builds::projections(&mut transaction).await?);
        }
        // All projections are locked by name, the order of all transactions that lock several, before any of their builds is.
        let mut locked = Vec::new();
        for name in names {
            // One that is not deployed here may have been deleted meanwhile.
            let is_there = if releases.contains_key(&name) {
                builds::ensure_projection(&mut transaction, &name).await?;
                true
            } else {
                builds::lock_projection(&mut transaction, &name).await?
            };
            if is_there {
                locked.push(name);
            }
        }
        let mut deployed = Vec::new();
        for name in locked {
            let mut changes = Changes::within(transaction, &name).await?;
            deployed.extend(match releases.get(&name) {
                Some((version, module)) => {
                    let cause = change.cause_of_deployment(*version);
                    Some(self.deploy_version(&mut changes, (*version, module), change, activation, &cause).await?)
                }
                None => self.rebuild_reader(&mut changes, &name, change, activation).await?,
            });
            transaction = changes.into_transaction();
        }
        Ok((transaction, deployed))
    }

    /// Begins a new build of a projection that reads what the change rewrites. Of one that reads only what upcasters rewrite that were
    /// active before, this is the build that it has.
    async fn rebuild_reader(
        &self,
        changes: &mut Changes,
        name: &Identifier,
        change: &UpcasterChange,
        activation: Activation,
    ) -> Result<Option<DeployedBuild>, OperateError> {
        let existing = changes.builds().await?;
        let Some((version, own_activation)) = version_in_use(&existing) else { return Ok(None) };
        let module = self.modules.load_projection(name, version).await?;
        let types = module.descriptor().filter().types;
        if !change.concerns(&types) {
            let through = existing.into_iter().find(|build| is_usable(build, version, change));
            let through = through.filter(|_| change.goes_through_unchanged(&types));
            return Ok(through.map(|build| DeployedBuild::of(&build)));
        }
        let activation = if activation == Activation::Manual { activation } else { own_activation };
        let build = self.begin_build(changes, (version, &module), change, activation, &change.cause).await?;
        Ok(Some(DeployedBuild::of(&build)))
    }

    /// The build of a version that is deployed: a new one, unless there is one that has not failed.
    async fn deploy_version(
        &self,
        changes: &mut Changes,
        (version, module): (ModuleVersion, &ProjectionModule),
        change: &UpcasterChange,
        activation: Activation,
        cause: &str,
    ) -> Result<DeployedBuild, OperateError> {
        let builds = changes.builds().await?;
        let existing = builds.iter().find(|build| is_usable(build, version, change));
        let build = match existing {
            Some(existing) => existing.clone(),
            None => self.begin_build(changes, (version, module), change, activation, cause).await?,
        };
        let mut deployed = DeployedBuild::of(&build);
        if activation == Activation::Auto {
            deployed.rebuilt.replaces = ReplacedBuild::by(&build, &builds);
            if existing.is_some() {
                changes.apply(build.id, Event::ActivateWhenLive, "the version was deployed again").await?;
                changes.supersede_others(&build).await?;
                deployed.live = Some(build).filter(|build| build.state.is_readable() && !build.state.is_active());
            }
        }
        Ok(deployed)
    }

    async fn begin_build(
        &self,
        changes: &mut Changes,
        (version, module): (ModuleVersion, &ProjectionModule),
        change: &UpcasterChange,
        activation: Activation,
        cause: &str,
    ) -> Result<Build, OperateError> {
        let purpose = NewBuildPurpose::Queries(activation);
        let new = NewBuild { version, upcasters: change.active.clone(), purpose };
        Ok(changes.begin_build(&new, module.tables(), self.settings.limits, cause).await?)
    }

    /// Makes builds that are live already the active ones at once. If one is behind the active one, or a reader holds a view for
    /// long, its worker makes it the active one later, as it does with a new build.
    pub(super) async fn activate_live_ones(&self, builds: &[DeployedBuild]) {
        for live in builds.iter().filter_map(|build| build.live.as_ref()) {
            let reason = (WantedBy::Deployment, "the version was deployed again");
            if let Err(error) = self.activate_live(live, reason, Duration::ZERO).await {
                tracing::debug!(build = %live.number, projection = %live.projection, %error, "the build is not active yet");
            }
        }
    }
}

impl DeployedBuild {
    /// A build that replaces none, and is not live.
    fn of(build: &Build) -> Self {
        let rebuilt = Rebuilt { projection: build.projection.clone(), build: build.number, replaces: None };
        Self { rebuilt, live: None }
    }
}

/// Whether a build is of this version, goes through the upcasters that are active, and has not failed.
fn is_usable(build: &Build, version: ModuleVersion, change: &UpcasterChange) -> bool {
    build.version == version
        && build.upcasters == change.active
        && build.verifies.is_none()
        && build.state.kept().is_some_and(|kept| kept.work != Work::Failed)
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

/// Commits, and wakes the supervisors of all hosts.
pub(super) async fn commit(mut transaction: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    builds::notify(&mut transaction).await?;
    transaction.commit().await
}
