//! Uploaded modules: their versions and what they say of themselves.
//!
//! Versions are kept by content: the same bytes are the same version. What is done with a module is not decided here.

mod chain;
mod list;
mod load;
mod upload;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::{
    postgres::sql_number,
    read_model::Identifier,
    runtime::{Descriptor, Digest, InvalidModule, Module, ModuleKind, Runtime, RuntimeLimits},
};

pub(crate) use self::load::descriptors;
pub use self::{
    chain::{ChainError, upcast},
    list::{ModuleSummary, VersionSummary},
    load::LoadError,
    upload::{UploadError, Uploaded},
};

/// 1, 2, 3 … with each upload of a module that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModuleVersion(pub u32);

impl From<u32> for ModuleVersion {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<ModuleVersion> for u32 {
    fn from(version: ModuleVersion) -> Self {
        version.0
    }
}

sql_number!(ModuleVersion(u32) as i32);

impl std::fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The modules of a database, and those of them that this host has compiled. Clones are handles on one register.
#[derive(Clone, Debug)]
pub struct Modules {
    pool: PgPool,
    runtime: Runtime,
    /// Modules that were loaded before, by name and version.
    loaded: Arc<Mutex<HashMap<(Identifier, ModuleVersion), Module>>>,
}

impl Modules {
    /// The modules of a database whose schema is up to date.
    #[must_use]
    pub fn new(pool: PgPool, runtime: Runtime) -> Self {
        Self { pool, runtime, loaded: Arc::default() }
    }

    /// What modules may use.
    #[must_use]
    pub fn limits(&self) -> &RuntimeLimits {
        self.runtime.limits()
    }

    /// The largest component that is taken, in bytes.
    #[must_use]
    pub fn max_module_bytes(&self) -> usize {
        self.runtime.limits().max_module_bytes
    }
}
