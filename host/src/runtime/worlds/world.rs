//! What a world is.

use wasmtime::{Store, component::InstancePre};

use super::guest::Guest;
use crate::runtime::{imports::import::Import, limits::RuntimeLimits};

/// A world of the contract: what its modules must export, and what they are given.
///
/// Nothing else of the runtime asks of which world a module is. What differs between worlds is in the implementations of this
/// trait, a file each, and in the table of [`worlds`](super).
pub(in crate::runtime) trait World: Sized + 'static {
    /// How components of this world are known, and how errors speak of them.
    const SIGNATURE: Signature;

    /// What the imports that only this world has hold for each instance.
    type State: Send + 'static;

    /// That of a new instance.
    fn state(limits: &RuntimeLimits) -> Self::State;

    /// The interfaces that modules of this world may import beside those of WASI that a language needs.
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

/// How components of a world are known, and how errors speak of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct Signature {
    /// Its name: `projection`.
    pub(in crate::runtime) name: &'static str,
    /// As in a sentence: `a projection`.
    pub(in crate::runtime) with_article: &'static str,
    /// The version of the contract that it belongs to.
    pub(in crate::runtime) version: &'static str,
    /// The interface that its modules export, without the version.
    pub(in crate::runtime) export: &'static str,
    /// What makes that export in the SDK.
    pub(in crate::runtime) exported_by: &'static str,
    /// All that its modules see.
    pub(in crate::runtime) sees: &'static str,
}
