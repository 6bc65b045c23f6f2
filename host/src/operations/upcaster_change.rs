//! A change of the active upcasters, within a transaction.

use std::collections::BTreeMap;

use sqlx::{Postgres, Transaction};

use super::error::OperateError;
use crate::{
    builds::{PinnedUpcaster, active_upcasters, begin_upcaster_change, remove_active_upcaster, set_active_upcaster},
    modules::{ModuleVersion, Modules},
    read_model::Identifier,
    runtime::{Step, UpcasterConflict, UpcasterModule, conflicts},
};

/// Which upcasters are active after a change, and what it rewrites. The table of upcasters is locked, so that none is activated or
/// deactivated until the transaction ends.
#[derive(Clone, Debug)]
pub(super) struct UpcasterChange {
    /// The upcasters that are active now, by name.
    pub(super) active: Vec<PinnedUpcaster>,
    /// The steps of those that were activated or deactivated, and of the versions that they replace: what projections that
    /// read such an event were built from is not what they would get now.
    pub(super) changed: Vec<Step>,
    /// The steps of those that were active already.
    pub(super) unchanged: Vec<Step>,
    /// What was done, for the history.
    pub(super) cause: String,
    /// Those that were activated: "upcaster `a` version 1".
    activated: Vec<String>,
}

impl UpcasterChange {
    /// No change of the active upcasters, which the caller holds.
    pub(super) fn none(active: Vec<PinnedUpcaster>) -> Self {
        Self { active, changed: Vec::new(), unchanged: Vec::new(), cause: String::new(), activated: Vec::new() }
    }

    /// Whether the change concerns projections that are not deployed with it.
    pub(super) fn rewrites_something(&self) -> bool {
        !self.changed.is_empty() || !self.unchanged.is_empty()
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
    for (name, (version, module)) in upcasters {
        let replaced = before.iter().find(|other| other.name == **name);
        if replaced.is_some_and(|replaced| replaced.version == *version) {
            change.unchanged.extend_from_slice(module.steps());
            continue;
        }
        set_active_upcaster(transaction, name, *version).await?;
        change.activated.push(format!("upcaster `{name}` version {version}"));
        change.changed.extend_from_slice(module.steps());
        if let Some(replaced) = replaced {
            change.changed.extend_from_slice(modules.load_upcaster(name, replaced.version).await?.steps());
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
    modules: &Modules,
    name: &Identifier,
) -> Result<UpcasterChange, OperateError> {
    begin_upcaster_change(transaction).await?;
    let version = remove_active_upcaster(transaction, name).await?;
    let version = version.ok_or_else(|| OperateError::NoUpcaster(name.clone()))?;
    let changed = modules.load_upcaster(name, version).await?.steps().to_vec();
    let cause = format!("upcaster `{name}` was deactivated");
    let active = active_upcasters(transaction).await?;
    Ok(UpcasterChange { changed, cause, ..UpcasterChange::none(active) })
}
