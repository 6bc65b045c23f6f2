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
use crate::runtime::{convert, label::ModuleLabel, limits::RuntimeLimits, sandbox::wasi};

/// A world whose imports are linked. It loads components as modules of type `M`, which all worlds of a table share.
pub(in crate::runtime) struct Entry<M> {
    pub(in crate::runtime) signature: Signature,
    /// The interfaces of the contract that its modules may import, without the version.
    pub(in crate::runtime) imports: Vec<&'static str>,
    load: Box<Load<M>>,
}

type Load<M> = dyn Fn(&Component, Arc<ModuleLabel>, RuntimeLimits) -> Result<M, Vec<String>> + Send + Sync;

impl<M> Entry<M> {
    /// The entry of the world `W`. `describe` makes a module of a component: it calls the module's `describe` and checks the
    /// descriptor.
    pub(in crate::runtime) fn of<W: World>(
        engine: &Engine,
        describe: fn(Program<W>) -> Result<M, Vec<String>>,
    ) -> wasmtime::Result<Self>
    where
        M: 'static,
    {
        let mut linker = Linker::new(engine);
        wasi::link(&mut linker)?;
        let mut imports = vec![convert::INTERFACE];
        for import in W::imports() {
            (import.link)(&mut linker)?;
            imports.push(import.interface);
        }
        let load = move |component: &Component, label, limits| {
            let linked = linker
                .instantiate_pre(component)
                .map_err(|error| vec![format!("its imports do not fit the contract: {error:#}")])?;
            describe(Program::new(linked, label, limits)?)
        };
        Ok(Self { signature: W::SIGNATURE, imports, load: Box::new(load) })
    }

    /// Makes a module of a component of this world.
    ///
    /// # Errors
    /// A message for everything that is wrong with it.
    pub(in crate::runtime) fn load(
        &self,
        component: &Component,
        label: Arc<ModuleLabel>,
        limits: RuntimeLimits,
    ) -> Result<M, Vec<String>> {
        (self.load)(component, label, limits)
    }
}
