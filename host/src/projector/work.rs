//! The work on one build: what it needs, and what it reports.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    shared::Shared,
    stop::Stop,
    waiting::{Needed, Waiting},
};
use crate::{
    builds::{self, CommitsHere, Following, Job, Role, Stage, WorkerReport},
    metrics::ProjectionMeasures,
    postgres::{Blocked, begin_waiting, lock_holders},
    subscriptions::{DeadLetter, Lease, LeaseLost},
};

/// How long a report waits for a lock.
const REPORT_LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// The work on a build, by the holder of its lease.
pub(super) struct Work {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) waiting: Waiting,
    pub(super) stop: CancellationToken,
    /// Changes with each commit of this host.
    pub(super) committed: watch::Sender<CommitsHere>,
    pub(super) measures: ProjectionMeasures,
    /// Whether somebody follows its rows.
    pub(super) following: Arc<Following>,
}

impl Work {
    /// Whether the build is filled for the first time.
    pub(super) fn is_replaying(&self) -> bool {
        self.job.build.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying)
    }

    /// Whether queries read the build, or have read it.
    pub(super) fn was_activated(&self) -> bool {
        self.job.build.state.kept().is_some_and(|kept| matches!(kept.role, Role::Active | Role::Replaced))
    }

    /// Reads the build again, after an attempt to make it the active one.
    pub(super) async fn refresh(&mut self) -> Result<(), Stop> {
        self.job.build = builds::get(&self.shared.pool, &[self.job.build.id]).await?.pop().ok_or(LeaseLost)?;
        Ok(())
    }

    /// Changes the state of the build as the report says, if the lease is held.
    pub(super) async fn report(&self, report: &WorkerReport) -> Result<(), Stop> {
        let (mut transaction, _) = begin_waiting(&self.shared.pool, REPORT_LOCK_TIMEOUT).await?;
        builds::report(&mut transaction, self.lease, report).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The build waited for a lock on its tables in vain.
    pub(super) async fn note_locked_tables(&mut self) {
        let schema = self.job.build.id.schema();
        // If this fails, it is not known who it is.
        let by = lock_holders(&self.shared.pool, Some(schema.as_str())).await.unwrap_or_default();
        self.note(Needed::Tables, Some(Blocked { by }.to_string())).await;
    }

    /// Notes where people look why the build waits for something, or that it does not.
    pub(super) async fn note(&mut self, needed: Needed, why: Option<String>) {
        let Self { shared, job, lease, waiting, .. } = self;
        waiting.note(&shared.pool, &job.build, *lease, needed, why).await;
    }

    /// Logs an event that was set aside because the module cannot handle it.
    pub(super) fn log_set_aside(&self, letter: &DeadLetter) {
        let build = &self.job.build;
        if let Some(failure) = letter.failure() {
            let (stream, position) = (letter.stream(), letter.position);
            warn!(build = %build.name(), projection = %build.projection, version = %build.version, %position, stream, %failure,
                "an event is set aside");
        }
    }
}
