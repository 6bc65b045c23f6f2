//! The engine: it fills builds and keeps them up to date.
//!
//! This room knows neither HTTP nor the requests of operators and readers; what they ask for is in the state of the builds.

mod commit;
mod instances;
mod own_swap;
mod pipeline;
mod redelivery;
mod runner;
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

use self::{instances::SpareCores, shared::Shared};
use crate::{
    builds::CommitsHere,
    event_log::{EventLog, Position},
    folding::{FoldingThreads, RowMemory},
    modules::Modules,
    postgres::Database,
    subscriptions::{HostKey, SharedPieces},
};

pub use self::{shared::ProjectorSettings, supervisor::PAST_AT_ONCE};

/// The projector of a host. Clones are handles on one.
#[derive(Clone, Debug)]
pub struct Projector {
    supervisor: Arc<Mutex<Option<JoinHandle<()>>>>,
    stop: CancellationToken,
    committed: watch::Receiver<CommitsHere>,
    awaited: watch::Sender<Position>,
    host: HostKey,
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
        let threads = settings.folding_threads;
        let (folding, past_folding) = (FoldingThreads::start(threads)?, FoldingThreads::start_nice(threads)?);
        let pieces = SharedPieces::default();
        let rows = RowMemory::new(settings.max_kept_rows_bytes);
        let awaited = watch::Sender::new(Position::default());
        let (spare_cores, look_again) = (SpareCores::new(settings.replay_threads.saturating_sub(1)), Notify::new());
        let projector_awaited = awaited.clone();
        let shared = Arc::new(Shared {
            pool,
            log,
            modules,
            settings,
            folding,
            past_folding,
            spare_cores,
            rows,
            pieces,
            awaited,
            look_again,
        });
        let stop = CancellationToken::new();
        let (send_committed, committed) = watch::channel(CommitsHere::default());
        let supervisor = supervisor::Supervisor::open(shared, stop.clone(), send_committed).await?;
        let host = supervisor.host();
        let supervisor = Arc::new(Mutex::new(Some(tokio::spawn(supervisor.run()))));
        Ok(Self { supervisor, stop, committed, awaited: projector_awaited, host })
    }

    /// Changes with each commit of this host's workers, and says how far they have come.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<CommitsHere> {
        self.committed.clone()
    }

    /// For the position that somebody waits for, the largest. Builds to which its event means nothing pass over it at once, and not when
    /// there is something to write.
    #[must_use]
    pub fn awaited(&self) -> watch::Sender<Position> {
        self.awaited.clone()
    }

    /// How leases name this host. As long as the projector runs, its session shows that the host lives.
    pub(crate) fn host(&self) -> HostKey {
        self.host
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
