//! The engine of reactors: it hands them their events, and commits what they answer with.
//!
//! This room knows neither HTTP nor what operators ask for; that is in the state of the reactors. It makes no call and sends nothing: messages go to the
//! outbox, in the transaction of the rows.

mod commit;
mod due;
mod effects;
mod folder;
mod pipeline;
mod redelivery;
mod settings;
mod stop;
mod supervisor;
mod traces;
mod work;
mod worker;

use std::sync::Arc;

use tokio::{
    sync::{Mutex, Notify},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::work::Shared;
use crate::{
    event_log::EventLog,
    folding::{FoldingThreads, RowMemory},
    modules::Modules,
    outbox::Outbox,
    postgres::Database,
    subscriptions::HostKey,
};

pub use self::settings::ReactorSettings;

/// The engine of the reactors of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct ReactorEngine {
    supervisor: Arc<Mutex<Option<JoinHandle<()>>>>,
    stop: CancellationToken,
    changed: Arc<Notify>,
}

impl ReactorEngine {
    /// Starts to work on the reactors of a database whose schema is up to date. Leases name this host by `host`, whose session shows that it lives.
    ///
    /// # Errors
    /// The system refuses what threads need.
    pub(crate) fn start(
        database: &Database,
        log: EventLog,
        modules: Modules,
        outbox: Outbox,
        host: HostKey,
        settings: ReactorSettings,
    ) -> Result<Self, sqlx::Error> {
        let changed = Arc::new(Notify::new());
        let shared = Shared {
            pool: database.lookups.clone(),
            log,
            modules,
            outbox,
            host,
            settings,
            folding: FoldingThreads::start(settings.folding_threads)?,
            rows: RowMemory::new(settings.max_kept_rows_bytes),
            look_again: Arc::clone(&changed),
        };
        let stop = CancellationToken::new();
        let supervisor = supervisor::Supervisor::new(Arc::new(shared), stop.clone());
        let supervisor = Arc::new(Mutex::new(Some(tokio::spawn(supervisor.run()))));
        Ok(Self { supervisor, stop, changed })
    }

    /// Wakes the engine of this host, which else looks once a second whether there is something to do.
    #[must_use]
    pub fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
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
