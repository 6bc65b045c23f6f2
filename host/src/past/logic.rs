//! Which logic tells the past: a version of a projection, with upcasters.

use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use super::{error::PastError, snapshots::Lineage};
use crate::{
    builds::{self, Build, LineageLookup, PinnedUpcaster, State, active_upcasters, names_of, of_projection},
    event_log::Filter,
    modules::{ModuleVersion, Modules, digests},
    read_model::Identifier,
    runtime::{Partition, ProjectionModule, UpcasterChain, widen_to_sources},
};

/// The logic that told the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logic {
    /// The projection.
    pub projection: Identifier,
    /// Its version.
    pub version: ModuleVersion,
    /// The upcasters that the events went through first.
    pub upcasters: Vec<PinnedUpcaster>,
    /// The build of that version whose upcasters these are, and whose dead letters are passed over; `None` if the version has no build.
    pub build: Option<Build>,
}

/// The same, ready to run.
pub(super) struct LoadedLogic {
    pub(super) logic: Logic,
    pub(super) module: ProjectionModule,
    pub(super) chain: Option<UpcasterChain>,
    /// The events that it reads.
    pub(super) filter: Filter,
    /// By what its snapshots are known.
    pub(super) lineage: Lineage,
}

/// The logic of a version: with the upcasters of its newest build, or with those that are active now if it has none. If no version is
/// asked for, that of the active build, or else of the newest one.
pub(super) async fn choose(
    pool: &PgPool,
    projection: &Identifier,
    version: Option<ModuleVersion>,
) -> Result<Logic, PastError> {
    let builds = of_projection(pool, projection).await?;
    let builds = builds.ok_or_else(|| PastError::NoProjection(projection.clone()))?;
    if let Some(build) = build_of(&builds, version) {
        let Build { version, ref upcasters, .. } = *build;
        let (projection, upcasters) = (projection.clone(), upcasters.clone());
        return Ok(Logic { projection, version, upcasters, build: Some(build.clone()) });
    }
    // Without a version, a build is found if there is any that queries may read.
    let version = version.ok_or_else(|| PastError::NoProjection(projection.clone()))?;
    let upcasters = active_upcasters(&mut *pool.acquire().await?).await?;
    Ok(Logic { projection: projection.clone(), version, upcasters, build: None })
}

/// The logic by which a past build of a projection is made. `None` if there is no projection, or nothing of it is active and no version is asked for.
pub(super) async fn of_past_build(
    pool: &PgPool,
    projection: &Identifier,
    version: Option<ModuleVersion>,
) -> Result<Option<Logic>, PastError> {
    let found = builds::lineage(&mut *pool.acquire().await?, projection, version).await?;
    let LineageLookup::Found(found) = found else { return Ok(None) };
    let (version, upcasters) = (found.version, found.upcasters);
    let mut builds = of_projection(pool, projection).await?.unwrap_or_default();
    builds.retain(|build| build.upcasters == upcasters);
    let build = build_of(&builds, Some(version)).cloned();
    Ok(Some(Logic { projection: projection.clone(), version, upcasters, build }))
}

/// The build of a version that counts: the active one, else the newest that is not retired, else the newest. `builds` are newest first.
fn build_of(builds: &[Build], version: Option<ModuleVersion>) -> Option<&Build> {
    let of_version = || {
        let is_of_version = move |build: &&Build| version.is_none_or(|version| build.version == version);
        builds.iter().filter(|build| build.verifies.is_none()).filter(is_of_version)
    };
    let active = of_version().find(|build| build.state.is_active());
    active.or_else(|| of_version().find(|build| build.state != State::Retired)).or_else(|| of_version().next())
}

/// Loads a logic.
pub(super) async fn load(pool: &PgPool, modules: &Modules, logic: Logic) -> Result<LoadedLogic, PastError> {
    let module = modules.load_projection(&logic.projection, logic.version).await?;
    if module.descriptor().partitioned_by != Some(Partition::Stream) {
        return Err(PastError::NotPartitioned { projection: logic.projection, version: logic.version });
    }
    let chain = match logic.upcasters.as_slice() {
        [] => None,
        upcasters => Some(modules.load_chain(&names_of(upcasters)).await?),
    };
    let mut filter = module.descriptor().filter();
    if let Some(chain) = &chain {
        widen_to_sources(&mut filter, chain.steps());
    }
    let lineage = lineage(pool, &logic).await?;
    Ok(LoadedLogic { logic, module, chain, filter, lineage })
}

/// By what the snapshots of a logic are known: its code. The same bytes under another number, of a database that was restored, are the same.
async fn lineage(pool: &PgPool, logic: &Logic) -> Result<Lineage, PastError> {
    let mut modules = vec![(logic.projection.clone(), logic.version)];
    modules.extend(names_of(&logic.upcasters));
    let digests = digests(pool, &modules).await?;
    let mut hash = Sha256::new();
    // A module does not have its own name.
    for ((name, _), digest) in modules.iter().zip(&digests) {
        hash.update(name.as_str());
        hash.update([0]);
        hash.update(digest.as_str());
        hash.update([0]);
    }
    Ok(Lineage(hash.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::{Activation, BuildId, BuildNumber, Kept, Role, Stage, Verifies, Work};

    fn build(number: u64, version: u32, role: Option<Role>) -> Build {
        let kept =
            |role| State::Kept(Kept { stage: Stage::Live, work: Work::Running, role, activation: Activation::Manual });
        let verifies = (role == Some(Role::Verifier)).then_some(Verifies { build: BuildId(1), batch_events: 1 });
        Build {
            id: BuildId(number.cast_signed()),
            number: BuildNumber(number),
            projection: Identifier::new("bank").unwrap(),
            version: ModuleVersion(version),
            upcasters: Vec::new(),
            state: role.map_or(State::Retired, kept),
            verifies,
            stop_at: None,
            was_active: false,
        }
    }

    #[test]
    fn the_build_that_counts_is_the_active_one_or_the_newest_of_the_version() {
        let builds = [
            build(6, 3, Some(Role::Verifier)),
            build(5, 3, Some(Role::Candidate)),
            build(4, 2, Some(Role::Active)),
            build(3, 2, None),
            build(2, 1, None),
            build(1, 1, None),
        ];
        let of = |builds: &[Build], version: Option<u32>| {
            build_of(builds, version.map(ModuleVersion)).map(|build| build.number.0)
        };
        assert_eq!(of(&builds, None), Some(4));
        assert_eq!(of(&builds[..2], None), Some(5));
        assert_eq!(of(&builds[3..], None), Some(3));
        assert_eq!([1, 2, 3, 4].map(|version| of(&builds, Some(version))), [Some(2), Some(4), Some(5), None]);
        // Of one that was rebuilt, the kept one and not the newest.
        assert_eq!(of(&[build(9, 1, None), build(8, 1, Some(Role::Replaced))], Some(1)), Some(8));
    }
}
