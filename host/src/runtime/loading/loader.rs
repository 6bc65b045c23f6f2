//! Compiles and checks components of the worlds in a table.

use std::{path::PathBuf, sync::Arc};

use wasmtime::Engine;

use super::{
    cache::CompiledCache,
    compile_budget,
    inspect::{inspect, not_a_component},
    invalid::InvalidModule,
};
use crate::runtime::{
    digest::Digest, label::ModuleLabel, limits::RuntimeLimits, sandbox::engine, worlds::entry::Entry,
};

/// Settings of the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// What a module may use.
    pub limits: RuntimeLimits,
    /// The folder of compiled code; without one, modules are compiled at each start.
    pub cache: Option<PathBuf>,
}

/// Why the runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine cannot be made.
    #[error("cannot start the WebAssembly engine: {0:#}")]
    Engine(wasmtime::Error),
    /// The folder of compiled code cannot be made.
    #[error(
        "cannot keep compiled modules in {folder}: {error}; choose another folder for the host's files with --data-dir (GNOMON_DATA_DIR)"
    )]
    Cache {
        /// The folder.
        folder: String,
        /// What went wrong.
        error: std::io::Error,
    },
}

/// An engine, and the table of worlds whose components it loads as modules of type `M`.
pub(in crate::runtime) struct Loader<M> {
    engine: Engine,
    cache: CompiledCache,
    limits: RuntimeLimits,
    worlds: Vec<Entry<M>>,
}

impl<M> Loader<M> {
    /// Starts the engine.
    ///
    /// # Errors
    /// The engine does not start on this machine, or the cache's folder cannot be created.
    pub(in crate::runtime) fn start(
        settings: RuntimeSettings,
        worlds: impl FnOnce(&Engine) -> wasmtime::Result<Vec<Entry<M>>>,
    ) -> Result<Self, RuntimeError> {
        let RuntimeSettings { limits, cache: folder } = settings;
        let engine = engine::start(&limits).map_err(RuntimeError::Engine)?;
        let cache = CompiledCache::open(folder.as_deref(), &engine)
            .map_err(|error| RuntimeError::Cache { folder: folder.unwrap_or_default().display().to_string(), error })?;
        let worlds = worlds(&engine).map_err(RuntimeError::Engine)?;
        Ok(Self { engine, cache, limits, worlds })
    }

    pub(in crate::runtime) fn limits(&self) -> &RuntimeLimits {
        &self.limits
    }

    /// Compiles a component, or reads its compiled code from the cache, and makes a module of it. Blocks: compiling takes about
    /// a second.
    ///
    /// # Errors
    /// Says why it is not a module.
    pub(in crate::runtime) fn load(
        &self,
        label: ModuleLabel,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<M, InvalidModule> {
        let (bytes_here, max) = (bytes.len(), self.limits.max_module_bytes);
        if bytes_here > max {
            return Err(format!("it has {bytes_here} bytes; the limit max_module_bytes is {max}").into());
        }
        if let Some(reason) = not_a_component(bytes) {
            return Err(reason.into());
        }
        compile_budget::check(bytes)?;
        let component = self.cache.load(&self.engine, digest, bytes).map_err(|error| cannot_compile(&error))?;
        let world = inspect(&self.engine, &component, &self.worlds)?;
        Ok(world.load(&component, Arc::new(label), self.limits)?)
    }
}

/// The message for a component that the compiler refuses, or the pool of instances.
fn cannot_compile(error: &wasmtime::Error) -> String {
    let cause = error.root_cause().to_string();
    if cause.starts_with("memory has a minimum byte size of ") {
        return format!("{cause}: it needs more memory than the limit max_memory_bytes allows");
    }
    format!("it is not a valid component: {cause}")
}
