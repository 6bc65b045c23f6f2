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

/// A world whose imports are linked, and which takes components in. `M` is what modules of any world in the table are.
pub(in crate::runtime) struct Entry<M> {
    pub(in crate::runtime) signature: Signature,
    /// The interfaces of the contract that its modules may import, without the version.
    pub(in crate::runtime) imports: Vec<&'static str>,
    take_in: Box<TakeIn<M>>,
}

type TakeIn<M> = dyn Fn(&Component, Arc<ModuleLabel>, RuntimeLimits) -> Result<M, Vec<String>> + Send + Sync;

impl<M> Entry<M> {
    /// The entry of the world `W`. `describe` makes a module of a component: it asks the module what it is and checks that.
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
        let take_in = move |component: &Component, label, limits| {
            let linked = linker
                .instantiate_pre(component)
                .map_err(|error| vec![format!("its imports do not fit the contract: {error:#}")])?;
            describe(Program::new(linked, label, limits)?)
        };
        Ok(Self { signature: W::SIGNATURE, imports, take_in: Box::new(take_in) })
    }

    /// Makes a module of a component of this world.
    ///
    /// # Errors
    /// Everything that is wrong with it, in words.
    pub(in crate::runtime) fn take_in(
        &self,
        component: &Component,
        label: Arc<ModuleLabel>,
        limits: RuntimeLimits,
    ) -> Result<M, Vec<String>> {
        (self.take_in)(component, label, limits)
    }
}
