//! The table of worlds, and the modules of each.
//!
//! A world is a file here, which implements [`World`](world::World), and an entry in [`table`]. Components of all worlds are
//! recognised, linked, described and called in the same way.

pub(super) mod answer;
pub(super) mod entry;
pub(super) mod guest;
pub(super) mod program;
pub(super) mod projection;
mod reaction;
pub(super) mod reactor;
pub(super) mod upcaster;
pub(super) mod world;

use wasmtime::Engine;

use self::{
    entry::Entry,
    projection::{Projection, ProjectionModule},
    reactor::{Reactor, ReactorModule},
    upcaster::{Upcaster, UpcasterModule},
};
use super::descriptor::Descriptor;

/// The worlds that a host supports.
pub(super) fn table(engine: &Engine) -> wasmtime::Result<Vec<Entry<Module>>> {
    Ok(vec![
        Entry::of::<Projection>(engine, |program| ProjectionModule::describe(program).map(Module::Projection))?,
        Entry::of::<Upcaster>(engine, |program| UpcasterModule::describe(program).map(Module::Upcaster))?,
        Entry::of::<Reactor>(engine, |program| ReactorModule::describe(program).map(Module::Reactor))?,
    ])
}

/// A module that can be run.
#[derive(Clone, Debug)]
pub enum Module {
    /// A projection.
    Projection(ProjectionModule),
    /// An upcaster.
    Upcaster(UpcasterModule),
    /// A reactor.
    Reactor(ReactorModule),
}

impl Module {
    /// What the module declares.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        match self {
            Self::Projection(projection) => Descriptor::Projection(projection.descriptor().clone()),
            Self::Upcaster(upcaster) => Descriptor::Upcaster(upcaster.descriptor().clone()),
            Self::Reactor(reactor) => Descriptor::Reactor(reactor.descriptor().clone()),
        }
    }
}
