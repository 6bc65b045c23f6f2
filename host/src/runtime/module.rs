//! Loads modules of the worlds that this host has.

use std::sync::Arc;

use super::{
    digest::Digest,
    label::ModuleLabel,
    limits::RuntimeLimits,
    loading::{
        invalid::InvalidModule,
        loader::{Loader, RuntimeError, RuntimeSettings},
    },
    worlds::{self, Module},
};

/// Compiles and checks modules. Clones are handles on one engine.
#[derive(Clone)]
pub struct Runtime {
    loader: Arc<Loader<Module>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("limits", self.limits()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Starts the engine.
    ///
    /// # Errors
    /// The engine does not start on this machine, or the cache's folder cannot be created.
    pub fn start(settings: RuntimeSettings) -> Result<Self, RuntimeError> {
        Ok(Self { loader: Arc::new(Loader::start(settings, worlds::table)?) })
    }

    /// What modules may use.
    #[must_use]
    pub fn limits(&self) -> &RuntimeLimits {
        self.loader.limits()
    }

    /// Compiles a component, or reads its compiled code from the cache, and checks that it is a module. Blocks: compiling
    /// takes about a second.
    ///
    /// # Errors
    /// Says why it is not a module.
    pub fn load(&self, label: ModuleLabel, digest: &Digest, bytes: &[u8]) -> Result<Module, InvalidModule> {
        self.loader.load(label, digest, bytes)
    }
}
