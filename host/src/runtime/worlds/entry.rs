//! A world as an entry of the table of worlds.

use std::sync::Arc;

use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use super::{
    program::Program,
    world::{Signature, World},
};
use crate::runtime::{
    convert,
    invalid::CannotLoad,
    label::ModuleLabel,
    sandbox::{resources::Resources, wasi},
};

/// A world whose imports are linked. It loads components as modules of type `M`, which all worlds of a table share.
pub(in crate::runtime) struct Entry<M> {
    pub(in crate::runtime) signature: Signature,
    /// The interfaces of the contract that its modules may import, without the version.
    pub(in crate::runtime) imports: Vec<&'static str>,
    load: Box<Load<M>>,
}

type Load<M> = dyn Fn(&Component, Arc<ModuleLabel>, Resources) -> Result<M, CannotLoad> + Send + Sync;

impl<M> Entry<M> {
    /// The entry of the world `W`. `describe` makes a module of a component: it calls the module's `describe` and checks the
    /// descriptor.
    pub(in crate::runtime) fn of<W: World>(
        engine: &Engine,
        describe: fn(Program<W>) -> Result<M, CannotLoad>,
    ) -> wasmtime::Result<Self>
    where
        M: 'static,
    {
        let mut linker = Linker::new(engine);
        wasi::link(&mut linker)?;
        let mut imports = convert::INTERFACES.to_vec();
        for import in W::imports() {
            (import.link)(&mut linker)?;
            imports.push(import.interface);
        }
        let load = move |component: &Component, label, available| {
            let linked = linker
                .instantiate_pre(component)
                .map_err(|error| vec![format!("its imports do not fit the contract: {error:#}")])?;
            describe(Program::new(linked, label, available)?)
        };
        Ok(Self { signature: W::SIGNATURE, imports, load: Box::new(load) })
    }

    /// Makes a module of a component of this world.
    ///
    /// # Errors
    /// Says what is wrong with it, or that the host has no room for an instance now.
    pub(in crate::runtime) fn load(
        &self,
        component: &Component,
        label: Arc<ModuleLabel>,
        available: Resources,
    ) -> Result<M, CannotLoad> {
        (self.load)(component, label, available)
    }
}
