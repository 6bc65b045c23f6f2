//! What operators do, a file each.
//!
//! It knows builds and modules, and nothing of the engine that works on them: what it changes stands in Postgres, and a
//! notification wakes whoever it concerns.

mod activate;
mod compare;
mod configure;
mod dead_letters;
mod deploy;
mod error;
mod list;
mod pause;
mod rebuild;
mod retire;
mod retry;
mod upcasters;
mod upload;
mod verify;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};

use crate::{modules::Modules, postgres::Database};

pub use self::{
    activate::Activated,
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison},
    error::OperateError,
    retry::Retried,
    upcasters::Rebuilt,
    upload::{UploadModuleError, UploadOutcome},
    verify::{Cause, Verification, VerifyError},
};

/// How many may read builds whole at once.
const FULL_READS: usize = 2;

/// What operators can do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Operations {
    pool: PgPool,
    /// For what reads builds whole.
    queries: PgPool,
    modules: Modules,
    /// Changes with each commit of this host's workers.
    committed: watch::Receiver<u64>,
    /// Of those who read builds whole; each takes a connection of its own, and memory of Postgres'.
    full_reads: Arc<Semaphore>,
}

impl Operations {
    /// The operations on a database whose schema is up to date. `committed` changes with each commit of this host's workers.
    #[must_use]
    pub fn new(database: &Database, modules: Modules, committed: watch::Receiver<u64>) -> Self {
        let full_reads = Arc::new(Semaphore::new(FULL_READS));
        let (pool, queries) = (database.lookups.clone(), database.queries.clone());
        Self { pool, queries, modules, committed, full_reads }
    }
}

#[cfg(test)]
mod tests;
