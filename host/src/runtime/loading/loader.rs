//! Compiles and checks components of the worlds in a table.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use wasmtime::Engine;

use super::{
    cache::{CompiledCache, NewCode},
    code::CompiledCode,
    compile_budget,
    compiler::{compile_apart, compile_here},
    inspect::{inspect, not_a_component},
};
use crate::{
    metrics,
    runtime::{
        digest::Digest,
        invalid::CannotLoad,
        label::ModuleLabel,
        limits::RuntimeLimits,
        sandbox::{engine, host_memory::HostMemory, resources::Resources},
        worlds::entry::Entry,
    },
};

/// Settings of the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// What modules may use.
    pub limits: RuntimeLimits,
    /// The folder of compiled code; without one, modules are compiled at each start.
    pub cache: Option<PathBuf>,
    /// The program `gnomon`, a process of which compiles each component within limits of memory and time. Without it, components are
    /// compiled in this process, where the compile budget is the only limit: for tests, and for components that one trusts.
    pub compiler: Option<PathBuf>,
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

/// A module that was loaded.
#[derive(Debug)]
pub struct Loaded<M> {
    /// The module.
    pub module: M,
    /// Its code, which is to be kept if the module is accepted.
    pub code: NewCode,
}

/// An engine, and the table of worlds whose components it loads as modules of type `M`.
pub(in crate::runtime) struct Loader<M> {
    engine: Engine,
    cache: CompiledCache,
    compiler: Option<PathBuf>,
    available: Resources,
    worlds: Vec<Entry<M>>,
    /// Held while a module is compiled in this process: one compilation uses all processors, and two would need twice the memory.
    compiling_here: Mutex<()>,
}

impl<M: Send + 'static> Loader<M> {
    /// Starts the engine.
    ///
    /// # Errors
    /// The engine does not start on this machine, or the cache's folder cannot be created.
    pub(in crate::runtime) fn start(
        settings: RuntimeSettings,
        worlds: impl FnOnce(&Engine) -> wasmtime::Result<Vec<Entry<M>>>,
    ) -> Result<Self, RuntimeError> {
        let RuntimeSettings { limits, cache: folder, compiler } = settings;
        let engine = engine::start(&limits).map_err(RuntimeError::Engine)?;
        let cache = CompiledCache::open(folder.as_deref(), &engine, limits.max_cache_bytes)
            .map_err(|error| RuntimeError::Cache { folder: folder.unwrap_or_default().display().to_string(), error })?;
        let worlds = worlds(&engine).map_err(RuntimeError::Engine)?;
        Ok(Self {
            engine,
            cache,
            compiler,
            available: Resources::new(limits),
            worlds,
            compiling_here: Mutex::default(),
        })
    }

    pub(in crate::runtime) fn limits(&self) -> &RuntimeLimits {
        &self.available.limits
    }

    /// The memory of all instances.
    pub(in crate::runtime) fn memory(&self) -> &HostMemory {
        &self.available.memory
    }

    /// Makes a module of a component, compiling it in this process unless its code is on disk, where it is kept. Blocks: compiling
    /// takes about a second.
    ///
    /// # Errors
    /// Says why it is not a module, or cannot be loaded now.
    pub(in crate::runtime) fn load(&self, label: ModuleLabel, digest: &Digest, bytes: &[u8]) -> Result<M, CannotLoad> {
        let code = self.look_up(digest, bytes)?;
        let is_new = code.is_none();
        let code = match code {
            Some(code) => code,
            None => self.compile_here(bytes)?,
        };
        let Loaded { module, code } = self.make(label, digest, &code, is_new)?;
        code.keep();
        Ok(module)
    }

    /// Makes a module of a component, compiling it in a process of its own unless its code is on disk, where it is not kept yet.
    /// `compiling` lets one caller at a time compile. What is compiled when the caller gives up is given up.
    ///
    /// # Errors
    /// Says why it is not a module, or cannot be loaded now.
    pub(in crate::runtime) async fn load_apart(
        self: Arc<Self>,
        label: ModuleLabel,
        digest: Digest,
        bytes: Arc<Vec<u8>>,
        compiling: &Semaphore,
        given_up: &CancellationToken,
    ) -> Result<Loaded<M>, CannotLoad> {
        let (this, wanted, component) = (Arc::clone(&self), digest.clone(), Arc::clone(&bytes));
        let found = blocking(move || this.look_up(&wanted, &component)).await?;
        let is_new = found.is_none();
        let code = match found {
            Some(code) => {
                metrics::of_host().modules.on_disk();
                code
            }
            None => {
                let began = Instant::now();
                let compiled = given_up.run_until_cancelled(Arc::clone(&self).compile(bytes, compiling)).await;
                let code =
                    compiled.ok_or_else(|| CannotLoad::Host("nobody waits for the module any more".to_owned()))??;
                metrics::of_host().modules.compiled(began.elapsed());
                code
            }
        };
        blocking(move || self.make(label, &digest, &code, is_new)).await
    }

    /// Removes compiled code from the disk that belongs to none of these modules. Blocks.
    pub(in crate::runtime) fn sweep(&self, known: &HashSet<Digest>) {
        self.cache.sweep(known);
    }

    /// Checks the bytes of a component, and looks for its code.
    fn look_up(&self, digest: &Digest, bytes: &[u8]) -> Result<Option<CompiledCode>, CannotLoad> {
        let (bytes_here, max) = (bytes.len(), self.limits().max_module_bytes);
        if bytes_here > max {
            return Err(format!("it has {bytes_here} bytes; the limit max_module_bytes is {max}").into());
        }
        if let Some(reason) = not_a_component(bytes) {
            return Err(reason.into());
        }
        compile_budget::check(bytes)?;
        Ok(self.cache.read(digest))
    }

    async fn compile(self: Arc<Self>, bytes: Arc<Vec<u8>>, compiling: &Semaphore) -> Result<CompiledCode, CannotLoad> {
        let _turn = compiling.acquire().await.map_err(|error| CannotLoad::Host(error.to_string()))?;
        match &self.compiler {
            Some(program) => compile_apart(program, &bytes, self.limits()).await,
            None => {
                let this = Arc::clone(&self);
                blocking(move || this.compile_here(&bytes)).await
            }
        }
    }

    fn compile_here(&self, bytes: &[u8]) -> Result<CompiledCode, CannotLoad> {
        let _one_at_a_time = self.compiling_here.lock().unwrap_or_else(PoisonError::into_inner);
        compile_here(&self.engine, bytes)
    }

    /// Makes a module of compiled code, which is to be kept if it is new.
    fn make(
        &self,
        label: ModuleLabel,
        digest: &Digest,
        code: &CompiledCode,
        is_new: bool,
    ) -> Result<Loaded<M>, CannotLoad> {
        let component = code.load(&self.engine).map_err(|error| cannot_run(&error))?;
        let world = inspect(&self.engine, &component, &self.worlds)?;
        let module = world.load(&component, Arc::new(label), self.available.clone())?;
        let code = if is_new { self.cache.stage(digest, code) } else { NewCode::none() };
        debug!(%digest, is_new, "module loaded");
        Ok(Loaded { module, code })
    }
}

/// Does work that blocks.
async fn blocking<A: Send + 'static>(
    work: impl FnOnce() -> Result<A, CannotLoad> + Send + 'static,
) -> Result<A, CannotLoad> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(CannotLoad::Host(format!("loading the module was interrupted: {error}"))))
}

/// The message for a component that does not fit into the pool of instances.
fn cannot_run(error: &wasmtime::Error) -> String {
    let cause = error.root_cause().to_string();
    if cause.starts_with("memory has a minimum byte size of ") {
        return format!("{cause}: it needs more memory than the limit max_memory_bytes allows");
    }
    format!("it is not a valid component: {cause}")
}
