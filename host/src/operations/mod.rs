//! What operators do, a file each.
//!
//! This room knows builds and modules, and not the engine that works on them: what it changes is in Postgres, and a notification
//! wakes the supervisors.

mod activate;
mod compare;
mod configure;
mod dead_letters;
mod deploy;
mod error;
mod list;
mod log_filter;
mod pause;
mod reading;
mod rebuild;
mod retire;
mod retry;
mod upcaster_change;
mod upcasters;
mod upload;
mod verify;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::{Semaphore, watch};

use crate::{modules::Modules, postgres::Database};

pub use self::{
    activate::{Activated, ReplacedBuild, When},
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison},
    dead_letters::DeadLetters,
    deploy::{Deployment, Rebuilt},
    error::OperateError,
    reading::{Ignored, Reading},
    retry::Retried,
    upload::{UploadEffect, UploadModuleError, UploadOutcome},
    verify::{Cause, Verification, VerificationOutcome, VerifyError},
};

/// Comparisons and verifications that a host runs at once.
const FULL_READS: usize = 2;

/// What operators can do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Operations {
    pool: PgPool,
    /// For comparisons and verifications, which read whole builds.
    queries: PgPool,
    modules: Modules,
    /// Changes with each commit of this host's workers.
    committed: watch::Receiver<u64>,
    /// A permit for each comparison and verification: each takes a separate connection, and memory of Postgres.
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
pub(crate) mod tests;
