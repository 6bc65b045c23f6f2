//! The engine: catching up, folding, committing, failures, leases.
//!
//! It knows nothing of HTTP, and nothing of what operators and readers ask for: it finds that in the builds.

mod commit;
mod fold;
mod pipeline;
mod redelivery;
mod rows;
mod search;
mod shared;
mod supervisor;
mod work;
mod worker;

use std::sync::Arc;

use tokio::{
    sync::{Mutex, Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::shared::Shared;
use crate::{event_log::EventLog, modules::Modules, postgres::Database};

pub use self::shared::ProjectorSettings;

/// The projector of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Projector {
    supervisor: Arc<Mutex<Option<JoinHandle<()>>>>,
    stop: CancellationToken,
    committed: watch::Receiver<u64>,
}

impl Projector {
    /// Starts to work on the builds of a database whose schema is up to date.
    #[must_use]
    pub fn start(database: &Database, log: EventLog, modules: Modules, settings: ProjectorSettings) -> Self {
        let pool = database.lookups.clone();
        let shared = Arc::new(Shared { pool, log, modules, settings, look_again: Notify::new() });
        let stop = CancellationToken::new();
        let (tell, committed) = watch::channel(0);
        let supervisor = supervisor::Supervisor::new(shared, stop.clone(), tell);
        let supervisor = Arc::new(Mutex::new(Some(tokio::spawn(supervisor.run()))));
        Self { supervisor, stop, committed }
    }

    /// Changes with each commit of this host's workers.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
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
