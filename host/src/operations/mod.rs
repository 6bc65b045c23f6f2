//! What operators do, a file each.
//!
//! This room knows builds, reactors and modules, and not the engines that work on them: what it changes is in Postgres, and a notification
//! wakes the supervisors.

mod activate;
mod compare;
mod configure;
mod dead_letters;
mod deploy;
mod error;
mod explain;
mod forget;
mod list;
mod log_filter;
mod measures;
mod past;
mod pause;
mod reactors;
mod reading;
mod rebuild;
mod rehearsal_limits;
mod retire;
mod retry;
mod upcaster_change;
mod upcasters;
mod upload;
mod verify;

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::{Notify, Semaphore, watch};

use crate::{
    builds::CommitsHere,
    modules::Modules,
    postgres::{Database, LockWatch, begin_waiting},
};

pub use crate::builds::{BuildLimits, PastLimits};

pub use self::{
    activate::{Activated, ReplacedBuild, When},
    compare::{CompareError, CompareOptions, ComparedBuild, Comparison},
    dead_letters::DeadLetters,
    deploy::{Deployment, Rebuilt},
    error::OperateError,
    explain::{
        ExplainError, ExplainOptions, ExplainedBuild, Explanation, Fold, FoldOutcome, FoldedOver, NotFolded, Upcasted,
    },
    forget::ForgettingKeeper,
    reactors::{
        DeployedReactor, ReactorDeadLetters, Rehearsal, RehearseError, RehearseOptions, RehearsedEvent, RetriedReactor,
    },
    reading::{Ignored, Reading},
    rehearsal_limits::RehearsalLimits,
    retry::Retried,
    upload::{UploadEffect, UploadModuleError, UploadOutcome},
    verify::{Cause, Verification, VerificationOutcome, VerifyError},
};

/// Comparisons and verifications that a host runs at once.
const FULL_READS: usize = 2;

/// Settings of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationsSettings {
    /// How long an operation waits for a lock that somebody else holds, before it is refused.
    pub lock_timeout: Duration,
    /// How many builds a projection may have.
    pub limits: BuildLimits,
    /// How many past builds there may be, and how long they are kept.
    pub past: PastLimits,
    /// How much a rehearsal of a reactor may take.
    pub rehearsal: RehearsalLimits,
}

impl Default for OperationsSettings {
    fn default() -> Self {
        // Longer than a worker or a swap waits for a lock while it has the row that an operation wants.
        Self {
            lock_timeout: Duration::from_secs(5),
            limits: BuildLimits::default(),
            past: PastLimits::default(),
            rehearsal: RehearsalLimits::default(),
        }
    }
}

/// What operators can do. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Operations {
    pool: PgPool,
    modules: Modules,
    settings: OperationsSettings,
    /// Changes with each commit of this host's workers.
    committed: watch::Receiver<CommitsHere>,
    /// A permit for each comparison and verification: each takes a separate connection, and memory of Postgres.
    full_reads: Arc<Semaphore>,
    /// A permit for each explanation: it computes.
    explaining: Arc<Semaphore>,
    /// Wakes those who work on reactors on this host.
    reactors_changed: Arc<Notify>,
}

impl Operations {
    /// The operations on a database whose schema is up to date. `committed` changes with each commit of this host's workers.
    #[must_use]
    pub fn new(
        database: &Database,
        modules: Modules,
        committed: watch::Receiver<CommitsHere>,
        settings: OperationsSettings,
    ) -> Self {
        let full_reads = Arc::new(Semaphore::new(FULL_READS));
        let explaining = explain::turns();
        let (pool, reactors_changed) = (database.lookups.clone(), Arc::default());
        Self { pool, modules, settings, committed, full_reads, explaining, reactors_changed }
    }

    /// The same, with what wakes those who work on reactors on this host.
    #[must_use]
    pub fn waking_reactors(self, reactors_changed: Arc<Notify>) -> Self {
        Self { reactors_changed, ..self }
    }

    /// Begins the transaction of an operation. None of its statements waits for a lock without end; what watches it says who holds one.
    async fn begin(&self) -> Result<(Transaction<'static, Postgres>, LockWatch), sqlx::Error> {
        begin_waiting(&self.pool, self.settings.lock_timeout).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
