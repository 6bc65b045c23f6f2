//! From a component's bytes to a module that can be run.

use std::{path::PathBuf, sync::Arc};

use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

use super::{
    bindings::{projection::Projection, upcaster::Upcaster},
    bulk,
    cache::CompiledCache,
    descriptor::{Descriptor, ModuleKind},
    digest::Digest,
    engine,
    inspect::{inspect, no_component},
    limits::RuntimeLimits,
    output::printable,
    projection::ProjectionModule,
    state::GuestState,
    upcast::UpcasterModule,
    wasi,
};
use crate::read_model::Identifier;

/// A module's name and version, for logs and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleLabel {
    /// The name.
    pub name: Identifier,
    /// 1, 2, 3 … with each upload that differs.
    pub version: u32,
}

impl std::fmt::Display for ModuleLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}

/// Settings of the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSettings {
    /// What a module may use.
    pub limits: RuntimeLimits,
    /// Where compiled code is kept; none compiles at each start.
    pub cache: Option<PathBuf>,
}

/// Why the runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine cannot be made.
    #[error("cannot start the WebAssembly engine: {0:#}")]
    Engine(wasmtime::Error),
    /// The folder of compiled code cannot be made.
    #[error("cannot keep compiled modules in {folder}: {source}")]
    Cache {
        /// The folder.
        folder: String,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// Why a component is no module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a module: {}", reasons.join("; "))]
pub struct InvalidModule {
    /// Everything that is wrong with it.
    pub reasons: Vec<String>,
}

/// Reasons that are told; a module can be made to have millions of them.
const MAX_REASONS: usize = 100;
/// Bytes of a reason that are told; names that the module made up stand in it.
const MAX_REASON_BYTES: usize = 1000;

impl From<Vec<String>> for InvalidModule {
    fn from(mut reasons: Vec<String>) -> Self {
        let more = reasons.len().saturating_sub(MAX_REASONS);
        reasons.truncate(MAX_REASONS);
        reasons.iter_mut().for_each(|reason| *reason = printable(reason, MAX_REASON_BYTES));
        if more > 0 {
            reasons.push(format!("and {more} more reasons"));
        }
        Self { reasons }
    }
}

impl From<String> for InvalidModule {
    fn from(reason: String) -> Self {
        Self::from(vec![reason])
    }
}

/// A module that can be run.
#[derive(Clone, Debug)]
pub enum Module {
    /// A projection.
    Projection(ProjectionModule),
    /// An upcaster.
    Upcaster(UpcasterModule),
}

impl Module {
    /// What the module says of itself.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        match self {
            Self::Projection(projection) => Descriptor::Projection(projection.descriptor().clone()),
            Self::Upcaster(upcaster) => Descriptor::Upcaster(upcaster.descriptor().clone()),
        }
    }
}

/// Compiles, checks and starts modules. Clones are handles on one engine.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    cache: CompiledCache,
    limits: RuntimeLimits,
    projections: Linker<GuestState>,
    upcasters: Linker<GuestState>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Starts the engine.
    ///
    /// # Errors
    /// The machine lacks what the engine needs, or the cache's folder cannot be made.
    pub fn start(settings: RuntimeSettings) -> Result<Self, RuntimeError> {
        let engine = engine::start(&settings.limits).map_err(RuntimeError::Engine)?;
        let cache = CompiledCache::open(settings.cache.as_deref(), &engine).map_err(|source| RuntimeError::Cache {
            folder: settings.cache.unwrap_or_default().display().to_string(),
            source,
        })?;
        let linkers = || {
            let mut projections = Linker::new(&engine);
            wasi::link(&mut projections)?;
            let mut upcasters = projections.clone();
            Projection::add_to_linker::<_, HasSelf<_>>(&mut projections, |state: &mut GuestState| state)?;
            Upcaster::add_to_linker::<_, HasSelf<_>>(&mut upcasters, |state: &mut GuestState| state)?;
            Ok((projections, upcasters))
        };
        let (projections, upcasters) = linkers().map_err(RuntimeError::Engine)?;
        Ok(Self { shared: Arc::new(Shared { engine, cache, limits: settings.limits, projections, upcasters }) })
    }

    /// What modules may use.
    #[must_use]
    pub fn limits(&self) -> &RuntimeLimits {
        &self.shared.limits
    }

    /// Compiles a component, or takes its compiled code from the cache, and checks that it is a module. Blocks: compiling
    /// takes a second or so.
    ///
    /// # Errors
    /// It is no module, and why.
    pub fn load(&self, label: ModuleLabel, digest: &Digest, bytes: &[u8]) -> Result<Module, InvalidModule> {
        let Shared { engine, cache, limits, projections, upcasters } = &*self.shared;
        if bytes.len() > limits.max_module_bytes {
            return Err(format!(
                "it has {} bytes; the limit max_module_bytes is {}",
                bytes.len(),
                limits.max_module_bytes
            )
            .into());
        }
        if let Some(reason) = no_component(bytes) {
            return Err(reason.into());
        }
        bulk::check(bytes).map_err(InvalidModule::from)?;
        let component = cache.load(engine, digest, bytes).map_err(|error| cannot_compile(&error))?;
        let label = Arc::new(label);
        match inspect(engine, &component).map_err(InvalidModule::from)? {
            ModuleKind::Projection => {
                let pre = link(projections, &component)?;
                ProjectionModule::describe(pre, label, *limits).map(Module::Projection)
            }
            ModuleKind::Upcaster => {
                let pre = link(upcasters, &component)?;
                UpcasterModule::describe(pre, label, *limits).map(Module::Upcaster)
            }
        }
        .map_err(InvalidModule::from)
    }
}

/// Words for a component that is refused by the compiler, or by the pool that its instances would come from.
fn cannot_compile(error: &wasmtime::Error) -> String {
    let cause = error.root_cause().to_string();
    if cause.starts_with("memory has a minimum byte size of ") {
        return format!("{cause}: it needs more memory than the limit max_memory_bytes allows");
    }
    format!("it is not a valid component: {cause}")
}

fn link(
    linker: &Linker<GuestState>,
    component: &Component,
) -> Result<wasmtime::component::InstancePre<GuestState>, InvalidModule> {
    linker
        .instantiate_pre(component)
        .map_err(|error| InvalidModule::from(format!("its imports do not fit the contract: {error:#}")))
}
