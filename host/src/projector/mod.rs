//! Builds: catching up, committing, checkpoints, failures, leases, the swap.
//!
//! It knows nothing of HTTP.

mod activate;
mod active;
mod attempt;
mod build;
mod commit;
mod compare;
mod dead_letters;
mod deploy;
mod feed;
mod fold;
mod history;
mod hosts;
mod lease;
mod meet;
mod operation;
mod pause;
mod policy;
mod read;
mod rebuild;
mod retire;
mod retry;
mod rows;
mod search;
mod snapshot;
mod store;
mod summary;
mod supervisor;
mod swap;
mod upcasters;
mod verify;
mod worker;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Mutex, Notify, Semaphore, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{event_log::EventLog, modules::Modules, postgres::Database};

pub use self::{
    activate::Activated,
    build::{BuildError, BuildId, BuildState},
    commit::Batches,
    compare::{BuildContent, CompareError, CompareOptions, ComparedBuild, Comparison},
    dead_letters::DeadLetterSummary,
    deploy::Activate,
    feed::PortionSize,
    history::HistoryEntry,
    meet::MeetError,
    operation::OperateError,
    policy::OnFailure,
    read::{Answer, ReadError, ReadRequest},
    retry::{Redelivery, Retried},
    summary::{BuildSummary, ProjectionSummary, Purpose},
    upcasters::{ActiveUpcaster, ChainError, PinnedUpcaster, Rebuilt},
    verify::{Cause, Verification, VerifyError},
};

/// Settings of the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorSettings {
    /// How much of the log a module gets at once.
    pub portion: PortionSize,
    /// How long a host that hangs keeps its builds from others.
    pub lease: Duration,
    /// How long a build is kept, and kept up to date, after another one took its place.
    pub keep_replaced: Duration,
    /// How many events a build may set aside.
    pub max_dead_letters: u64,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self {
            portion: PortionSize::default(),
            lease: Duration::from_secs(5),
            keep_replaced: Duration::from_secs(24 * 60 * 60),
            max_dead_letters: 100_000,
        }
    }
}

/// The projector of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Projector {
    shared: Arc<Shared>,
    supervisor: Arc<Mutex<Option<JoinHandle<()>>>>,
    stop: CancellationToken,
    committed: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    /// For queries of users.
    queries: PgPool,
    log: EventLog,
    modules: Modules,
    settings: ProjectorSettings,
    /// Wakes the supervisor.
    look_again: Notify,
    active: active::ActiveBuilds,
    /// Of those who read builds whole; each takes a connection of its own, and memory of Postgres'.
    readings: Semaphore,
}

/// How many may read builds whole at once.
const READINGS: usize = 2;

impl Projector {
    /// Starts to work on the builds of a database whose schema is up to date.
    #[must_use]
    pub fn start(database: &Database, log: EventLog, modules: Modules, settings: ProjectorSettings) -> Self {
        let shared = Arc::new(Shared {
            pool: database.lookups.clone(),
            queries: database.queries.clone(),
            log,
            modules,
            settings,
            look_again: Notify::new(),
            active: active::ActiveBuilds::default(),
            readings: Semaphore::new(READINGS),
        });
        let stop = CancellationToken::new();
        let (tell, committed) = watch::channel(0);
        let supervisor = supervisor::Supervisor::new(Arc::clone(&shared), stop.clone(), tell);
        let supervisor = Arc::new(Mutex::new(Some(tokio::spawn(supervisor.run()))));
        Self { shared, supervisor, stop, committed }
    }

    /// Stops: commits under way are finished, leases given back.
    pub async fn stop(&self) {
        self.stop.cancel();
        if let Some(supervisor) = self.supervisor.lock().await.take() {
            let _ = supervisor.await;
        }
    }
}

#[cfg(test)]
mod tests;
