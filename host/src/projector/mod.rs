//! Builds: catching up, committing, checkpoints, failures, leases, the swap.
//!
//! It knows nothing of HTTP.

mod activate;
mod active;
mod build;
mod commit;
mod compare;
mod deploy;
mod feed;
mod fold;
mod lease;
mod meet;
mod read;
mod rows;
mod snapshot;
mod store;
mod supervisor;
mod worker;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{
    sync::{Mutex, Notify, Semaphore, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{event_log::EventLog, modules::Modules, postgres::Database, read_model::Identifier};

pub use self::{
    build::{BuildError, BuildId, BuildState, BuildSummary, ProjectionSummary},
    compare::{BuildContent, CompareError, CompareOptions, ComparedBuild, Comparison},
    deploy::{Activate, DeployError, Deployed},
    feed::PortionSize,
    meet::MeetError,
    read::{Answer, ReadError, ReadRequest},
};

/// Settings of the projector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectorSettings {
    /// How much of the log a module gets at once.
    pub portion: PortionSize,
    /// How long a host that hangs keeps its builds from others.
    pub lease: Duration,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self { portion: PortionSize::default(), lease: Duration::from_secs(5) }
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

    /// Every projection with its builds, by name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn list(&self) -> Result<Vec<ProjectionSummary>, sqlx::Error> {
        store::summaries(&self.shared.pool, None).await
    }

    /// The projection of this name.
    ///
    /// # Errors
    /// Postgres fails.
    pub async fn get(&self, name: &Identifier) -> Result<Option<ProjectionSummary>, sqlx::Error> {
        Ok(store::summaries(&self.shared.pool, Some(name)).await?.pop())
    }
}

#[cfg(test)]
mod tests;
