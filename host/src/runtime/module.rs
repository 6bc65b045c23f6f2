//! Loads modules of the worlds that this host has.

use std::{collections::HashSet, sync::Arc};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    digest::Digest,
    invalid::CannotLoad,
    label::ModuleLabel,
    limits::RuntimeLimits,
    loading::loader::{Loaded, Loader, RuntimeError, RuntimeSettings},
    sandbox::host_memory::HostMemory,
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

    /// The memory of all instances.
    #[must_use]
    pub fn memory(&self) -> &HostMemory {
        self.loader.memory()
    }

    /// Makes a module of a component whose sender is trusted: it is compiled in this process, and its code is kept. Blocks: compiling
    /// takes about a second.
    ///
    /// # Errors
    /// Says why it is not a module, or cannot be loaded now.
    pub fn load(&self, label: ModuleLabel, digest: &Digest, bytes: &[u8]) -> Result<Module, CannotLoad> {
        self.loader.load(label, digest, bytes)
    }

    /// Makes a module of any component: it is compiled by a process of the program that the settings name, and its code is to be kept
    /// once the module is accepted. `compiling` lets one caller at a time compile. When `given_up` is cancelled, the process is killed.
    ///
    /// # Errors
    /// Says why it is not a module, or cannot be loaded now.
    pub async fn load_apart(
        &self,
        label: ModuleLabel,
        digest: Digest,
        bytes: Arc<Vec<u8>>,
        compiling: &Semaphore,
        given_up: &CancellationToken,
    ) -> Result<Loaded<Module>, CannotLoad> {
        Arc::clone(&self.loader).load_apart(label, digest, bytes, compiling, given_up).await
    }

    /// Removes compiled code from the disk that belongs to none of these modules. Blocks.
    pub fn sweep_code(&self, known: &HashSet<Digest>) {
        self.loader.sweep(known);
    }
}
