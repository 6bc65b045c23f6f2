//! The swap by which a build becomes the active one by itself, once it has caught up. Its worker goes on meanwhile.

use std::{sync::Arc, time::Duration};

use tokio::task::{JoinError, JoinHandle};
use tracing::{error, info};

use super::{stop::Stop, waiting::Needed, work::Work};
use crate::{
    builds::{BuildError, SWAP_TIMEOUT, Swapped, WantedBy, WorkerReport, swap},
    postgres::{Backoff, is_transient},
    read_model::TableSet,
};

/// The pauses between tries to become the active build while somebody holds a view: each keeps those waiting who begin to read the view.
const PAUSES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));

/// What became of a swap; an error if its task has panicked.
pub(super) type Ended = Result<Result<Swapped, sqlx::Error>, JoinError>;

/// The swap of a worker's own build, while it is tried. Dropped, it is given up.
pub(super) struct OwnSwap {
    tables: Arc<TableSet>,
    task: Option<JoinHandle<Result<Swapped, sqlx::Error>>>,
    pauses: Backoff,
}

impl OwnSwap {
    /// One that has not begun.
    pub(super) fn new(tables: Arc<TableSet>) -> Self {
        Self { tables, task: None, pauses: PAUSES }
    }

    /// Whether it is being tried.
    pub(super) fn is_running(&self) -> bool {
        self.task.is_some()
    }

    /// Starts to make the build the active one, if it is to become active by itself. The active one may be ahead, and is held at its checkpoint
    /// until this one has reached it.
    pub(super) fn start(&mut self, work: &Work) {
        self.start_after(work, Duration::ZERO);
    }

    fn start_after(&mut self, work: &Work, pause: Duration) {
        let Work { shared, job, .. } = work;
        if !job.build.state.activates_when_live() || self.is_running() {
            return;
        }
        let (shared, tables) = (Arc::clone(shared), Arc::clone(&self.tables));
        let (projection, build) = (job.build.projection.clone(), job.build.id);
        self.task = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let reason = (WantedBy::Deployment, "it has caught up");
            swap(&shared.pool, &projection, build, &tables, reason, SWAP_TIMEOUT).await
        }));
    }

    /// Waits until it ends; for ever if it is not being tried.
    pub(super) async fn end(&mut self) -> Ended {
        match &mut self.task {
            Some(task) => task.await,
            None => std::future::pending().await,
        }
    }

    /// Does what follows from its end.
    pub(super) async fn after(&mut self, work: &mut Work, ended: Ended) -> Result<(), Stop> {
        self.task = None;
        let (build, projection) = (work.job.build.name(), work.job.build.projection.clone());
        match ended? {
            Ok(Swapped::Done) => {
                info!(%build, %projection, version = %work.job.build.version, "queries read the build from now on");
            }
            // It is tried again after the next commit.
            Ok(Swapped::Behind { .. }) => {
                self.pauses.reset();
                work.note(Needed::Views, None).await;
                return Ok(());
            }
            Ok(Swapped::Blocked(blocked)) => {
                work.note(Needed::Views, Some(blocked.to_string())).await;
                let pause = self.pauses.next_pause();
                self.start_after(work, pause);
                return Ok(());
            }
            Ok(Swapped::Refused(_) | Swapped::Deleted) => {}
            Ok(Swapped::ViewInUse(view)) => report_not_activated(work, &view).await?,
            Err(error) if is_transient(&error) => return Err(error.into()),
            Err(error) => report_not_activated(work, &error).await?,
        }
        work.note(Needed::Views, None).await;
        work.refresh().await
    }
}

impl Drop for OwnSwap {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Stores why the build cannot become the active one by itself.
async fn report_not_activated(work: &Work, error: &(dyn std::error::Error + Sync)) -> Result<(), Stop> {
    let build = &work.job.build;
    error!(build = %build.name(), projection = %build.projection, %error, "the build cannot be activated");
    let error = BuildError::Host { message: format!("the build cannot be activated: {error}") };
    work.report(&WorkerReport::ActivationFailed(error)).await
}
