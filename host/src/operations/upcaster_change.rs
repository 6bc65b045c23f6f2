//! A change of the active upcasters, within a transaction.

use std::collections::BTreeMap;

use sqlx::{Postgres, Transaction};

use super::error::OperateError;
use crate::{
    builds::{
        PinnedUpcaster, active_upcasters, begin_upcaster_change, names_of, remove_active_upcaster, set_active_upcaster,
    },
    event_log::NameFilter,
    modules::{ModuleVersion, Modules, descriptors},
    read_model::Identifier,
    runtime::{Descriptor, Step, UpcasterConflict, UpcasterModule, conflicts, depends_on},
};

/// Which upcasters are active after a change, and what it rewrites. The table of upcasters is locked, so that none is activated or
/// deactivated until the transaction ends.
#[derive(Clone, Debug)]
pub(super) struct UpcasterChange {
    /// The upcasters that are active now, by name.
    pub(super) active: Vec<PinnedUpcaster>,
    /// The chain as it was, with the steps of those that were deactivated and of the versions that were replaced.
    before: ChainSteps,
    /// The chain as it is now, with the steps of those that were activated.
    after: ChainSteps,
    /// The steps of those that were to be activated, and were active already.
    unchanged: Vec<Step>,
    /// What was done, for the history.
    pub(super) cause: String,
    /// Those that were activated: "upcaster `a` version 1".
    activated: Vec<String>,
}

/// The steps of upcasters that are active together.
#[derive(Clone, Debug, Default)]
struct ChainSteps {
    all: Vec<Step>,
    /// Those that the chain has on one side of a change only.
    changed: Vec<Step>,
}

impl UpcasterChange {
    /// No change of the active upcasters, which the caller holds.
    pub(super) fn none(active: Vec<PinnedUpcaster>) -> Self {
        Self {
            active,
            before: ChainSteps::default(),
            after: ChainSteps::default(),
            unchanged: Vec::new(),
            cause: String::new(),
            activated: Vec::new(),
        }
    }

    /// Whether the change concerns projections that are not deployed with it.
    pub(super) fn rewrites_something(&self) -> bool {
        [&self.before.changed, &self.after.changed, &self.unchanged].iter().any(|steps| !steps.is_empty())
    }

    /// Whether a projection that reads these types may get other events than before: one of them goes into a step that was added or
    /// removed, or comes out of it, directly or through further steps.
    pub(super) fn concerns(&self, types: &NameFilter) -> bool {
        [&self.before, &self.after].iter().any(|side| depends_on(types, &side.all, &side.changed))
    }

    /// Whether a projection that reads these types goes through an upcaster that was to be activated, and was active already.
    pub(super) fn goes_through_unchanged(&self, types: &NameFilter) -> bool {
        depends_on(types, &self.after.all, &self.unchanged)
    }

    /// The cause of a build of a version that is deployed with this change.
    pub(super) fn cause_of_deployment(&self, version: ModuleVersion) -> String {
        if self.activated.is_empty() {
            return format!("version {version} was deployed");
        }
        format!("version {version} was deployed, with {}", self.activated.join(", "))
    }
}

/// Makes versions of upcasters the active ones, all or none.
///
/// # Errors
/// They conflict with each other or with others that are active, or Postgres fails.
pub(super) async fn activate_upcasters(
    transaction: &mut Transaction<'static, Postgres>,
    modules: &Modules,
    upcasters: &BTreeMap<&Identifier, (ModuleVersion, &UpcasterModule)>,
) -> Result<UpcasterChange, OperateError> {
    begin_upcaster_change(transaction).await?;
    let before = active_upcasters(transaction).await?;
    let mut active_then: Vec<UpcasterModule> = upcasters.values().map(|(_, module)| (*module).clone()).collect();
    for other in before.iter().filter(|other| !upcasters.contains_key(&other.name)) {
        active_then.push(modules.load_upcaster(&other.name, other.version).await?);
    }
    let declared: Vec<_> = active_then.iter().map(|module| (&module.label().name, module.descriptor())).collect();
    let reasons = conflicts(&declared);
    if !reasons.is_empty() {
        return Err(OperateError::Upcasters(UpcasterConflict { reasons }));
    }
    let mut change = UpcasterChange::none(Vec::new());
    change.before.all = steps_of(transaction, &before).await?;
    change.after.all = active_then.iter().flat_map(UpcasterModule::steps).cloned().collect();
    for (name, (version, module)) in upcasters {
        let replaced = before.iter().find(|other| other.name == **name);
        if replaced.is_some_and(|replaced| replaced.version == *version) {
            change.unchanged.extend_from_slice(module.steps());
            continue;
        }
        set_active_upcaster(transaction, name, *version).await?;
        change.activated.push(format!("upcaster `{name}` version {version}"));
        change.after.changed.extend_from_slice(module.steps());
        if let Some(replaced) = replaced {
            let steps = steps_of(transaction, std::slice::from_ref(replaced)).await?;
            change.before.changed.extend(steps);
        }
    }
    let were = if change.activated.len() > 1 { "were" } else { "was" };
    change.cause = format!("{} {were} activated", change.activated.join(", "));
    change.active = active_upcasters(transaction).await?;
    Ok(change)
}

/// Makes an upcaster inactive.
///
/// # Errors
/// It is not active, or Postgres fails.
pub(super) async fn deactivate_upcaster(
    transaction: &mut Transaction<'static, Postgres>,
    name: &Identifier,
) -> Result<UpcasterChange, OperateError> {
    begin_upcaster_change(transaction).await?;
    let before = active_upcasters(transaction).await?;
    let all = steps_of(transaction, &before).await?;
    let version = remove_active_upcaster(transaction, name).await?;
    let version = version.ok_or_else(|| OperateError::NoUpcaster(name.clone()))?;
    let removed = PinnedUpcaster { name: name.clone(), version };
    let changed = steps_of(transaction, &[removed]).await?;
    let cause = format!("upcaster `{name}` was deactivated");
    let active = active_upcasters(transaction).await?;
    Ok(UpcasterChange { before: ChainSteps { all, changed }, cause, ..UpcasterChange::none(active) })
}

/// The steps of these upcasters, as their descriptors declare them: they need not run here.
async fn steps_of(
    transaction: &mut Transaction<'static, Postgres>,
    upcasters: &[PinnedUpcaster],
) -> Result<Vec<Step>, sqlx::Error> {
    let mut steps = Vec::new();
    for descriptor in descriptors(transaction, &names_of(upcasters)).await? {
        if let Descriptor::Upcaster(upcaster) = descriptor {
            steps.extend(upcaster.steps);
        }
    }
    Ok(steps)
}
