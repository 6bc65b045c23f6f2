//! The trait that each world implements.

use wasmtime::{Store, component::InstancePre};

use super::guest::Guest;
use crate::runtime::{imports::import::Import, limits::RuntimeLimits};

/// A world of the contract: what its modules must export, and what they may import.
///
/// All that differs between worlds is in the implementations of this trait, a file each, and in the table of
/// [`worlds`](super). The rest of the runtime treats the modules of all worlds alike.
pub(in crate::runtime) trait World: Sized + 'static {
    /// How components of this world are recognised, and how errors name them.
    const SIGNATURE: Signature;

    /// The state of the imports that are specific to this world.
    type State: Send + 'static;

    /// The state of a new instance.
    fn state(limits: &RuntimeLimits) -> Self::State;

    /// The interfaces that modules of this world may import in addition to those of WASI that a language needs.
    fn imports() -> Vec<Import<Guest<Self::State>>>;

    /// Generated: a component whose exports have been looked up.
    type Linked: Send + Sync + 'static;
    /// Generated: the exports of an instance.
    type Exports: Send + 'static;

    /// Looks up the exports of a component.
    fn link(component: InstancePre<Guest<Self::State>>) -> wasmtime::Result<Self::Linked>;

    /// Makes an instance.
    fn instantiate(component: &Self::Linked, store: &mut Store<Guest<Self::State>>) -> wasmtime::Result<Self::Exports>;
}

/// How components of a world are recognised, and how errors name them.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct Signature {
    /// Its name with an article, for messages: `a projection`.
    pub(in crate::runtime) with_article: &'static str,
    /// The version of the contract that it belongs to.
    pub(in crate::runtime) version: &'static str,
    /// The interface that its modules export, without the version.
    pub(in crate::runtime) export: &'static str,
    /// The macro that makes that export.
    pub(in crate::runtime) exported_by: &'static str,
    /// All that its modules have access to.
    pub(in crate::runtime) sees: &'static str,
}
