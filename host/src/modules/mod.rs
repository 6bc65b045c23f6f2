//! Uploaded modules: their versions and descriptors.
//!
//! Versions are identified by content: the same bytes are the same version. What a version is used for is decided elsewhere.

mod chain;
mod lanes;
mod list;
mod load;
mod loaded;
mod sweep;
mod upload;

use std::num::NonZeroUsize;

use sqlx::PgPool;

use crate::{
    postgres::sql_number,
    read_model::Identifier,
    runtime::{CannotLoad, Descriptor, Digest, HostMemory, InvalidModule, Module, ModuleKind, Runtime, RuntimeLimits},
};

pub use crate::runtime::ModuleVersion;

pub use self::{
    chain::ChainError,
    lanes::{CompileTurns, UploadPlace},
    list::{ModuleSummary, VersionSummary},
    load::LoadError,
    upload::{UploadError, Uploaded},
};
use self::{lanes::Lanes, loaded::Loaded};
pub(crate) use self::{
    load::{descriptors, digests},
    upload::{Checked, keep_code, store_version},
};

sql_number!(ModuleVersion(u32) as i32);

/// Versions that a host keeps ready for the next load: those of its builds and of its chains of upcasters, in most databases.
/// A version in use stays in memory, also when it is dropped here: its users have handles. A version that was dropped is
/// loaded again from the disk cache, which takes milliseconds.
const MAX_LOADED: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// The modules of a database, and those of them that this host has loaded. Clones are handles on the same modules.
#[derive(Clone, Debug)]
pub struct Modules {
    pool: PgPool,
    runtime: Runtime,
    loaded: Loaded<(Identifier, ModuleVersion, Digest), Module>,
    lanes: Lanes,
}

impl Modules {
    /// The modules of a database whose schema is up to date, which are compiled at these turns.
    #[must_use]
    pub fn new(pool: PgPool, runtime: Runtime, turns: CompileTurns) -> Self {
        let lanes = Lanes::new(runtime.limits().max_uploads, turns);
        Self { pool, runtime, loaded: Loaded::new(MAX_LOADED), lanes }
    }

    /// What modules may use.
    #[must_use]
    pub fn limits(&self) -> &RuntimeLimits {
        self.runtime.limits()
    }

    /// The memory that the instances of all modules share.
    #[must_use]
    pub fn memory(&self) -> &HostMemory {
        self.runtime.memory()
    }

    /// The size of the largest component that can be uploaded, in bytes.
    #[must_use]
    pub fn max_module_bytes(&self) -> usize {
        self.runtime.limits().max_module_bytes
    }
}
