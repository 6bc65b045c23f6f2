//! The engine: it fills builds and keeps them up to date.
//!
//! This room knows neither HTTP nor the requests of operators and readers; what they ask for is in the state of the builds.

mod commit;
#[cfg(test)]
mod fault_point;
mod fold;
mod folding_threads;
mod kept_rows;
mod pipeline;
mod redelivery;
mod rows;
mod search;
mod shared;
mod stop;
mod supervisor;
mod sweep;
mod traces;
mod waiting;
mod work;
mod worker;

use std::sync::Arc;

use tokio::{
    sync::{Mutex, Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::{folding_threads::FoldingThreads, kept_rows::RowMemory, shared::Shared};
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
    ///
    /// # Errors
    /// The connections that it keeps cannot be opened.
    pub async fn start(
        database: &Database,
        log: EventLog,
        modules: Modules,
        settings: ProjectorSettings,
    ) -> Result<Self, sqlx::Error> {
        let pool = database.lookups.clone();
        let folding = FoldingThreads::start()?;
        let rows = RowMemory::new(settings.max_kept_rows_bytes);
        let shared = Arc::new(Shared { pool, log, modules, settings, folding, rows, look_again: Notify::new() });
        let stop = CancellationToken::new();
        let (send_committed, committed) = watch::channel(0);
        let supervisor = supervisor::Supervisor::open(shared, stop.clone(), send_committed).await?;
        let supervisor = Arc::new(Mutex::new(Some(tokio::spawn(supervisor.run()))));
        Ok(Self { supervisor, stop, committed })
    }

    /// Changes with each commit of this host's workers.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.committed.clone()
    }

    /// Stops the workers: current commits are finished, and leases are given back.
    pub async fn stop(&self) {
        self.stop.cancel();
        if let Some(supervisor) = self.supervisor.lock().await.take() {
            let _ = supervisor.await;
        }
    }
}

#[cfg(test)]
mod tests;
