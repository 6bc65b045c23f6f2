//! Working on one build until there is an end, whatever passes by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    Shared,
    attempt::Attempt,
    build::{BuildError, Status},
    commit::{CommitError, hold},
    dead_letters::{self, DeadLetter},
    feed,
    fold::Folder,
    lease::{self, Lease},
    meet,
    retry::Order,
    store::{self, Job},
    upcasters::ChainError,
};
use crate::{
    event_log::Position,
    modules::LoadError,
    postgres::is_transient,
    read_model::TableSet,
    runtime::{BatchError, Partition},
};

/// Works on a build until it is told to stop, the lease is lost, or the build itself stops.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) stop: CancellationToken,
    /// Told of each commit of this host.
    pub(super) committed: watch::Sender<u64>,
    /// Where the build is called to meet another.
    meeting: Option<Position>,
}

/// Why work ends for good.
pub(super) enum End {
    Stopped,
    Fenced,
    /// The build's own end is noted already.
    Noted,
}

/// Why an attempt ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    #[error("the lease is lost")]
    Fenced,
    #[error("the build is called to a meeting at position {0}")]
    Meeting(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Host(BatchError),
    #[error("the thread of the module was lost")]
    Lost,
    #[error("{found} events would be set aside; the limit is {max}")]
    TooManyDeadLetters { found: u64, max: u64 },
}

impl WorkError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Fenced | Self::TooManyDeadLetters { .. } => false,
            Self::Postgres(error) => is_transient(error),
            Self::Load(error) | Self::Chain(ChainError::Load(error)) => error.is_transient(),
            Self::Chain(error) => matches!(error, ChainError::Interrupted),
            // What reads rows is Postgres; there is room for an instance once another is given up.
            Self::Host(BatchError::Rows(error)) => error.downcast_ref::<sqlx::Error>().is_none_or(is_transient),
            Self::Host(_) | Self::Lost | Self::Meeting(_) => true,
        }
    }
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Fenced => Self::Fenced,
            CommitError::Meeting(at) => Self::Meeting(at),
            CommitError::TooManyDeadLetters { found, max } => Self::TooManyDeadLetters { found, max },
            CommitError::Postgres(error) => Self::Postgres(error),
        }
    }
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        job: Job,
        lease: Lease,
        stop: CancellationToken,
        committed: watch::Sender<u64>,
    ) -> Self {
        Self { shared, job, lease, stop, committed, meeting: None }
    }

    /// Works until there is an end, trying again for as long as it takes what passes by itself.
    pub(super) async fn run(mut self) {
        let (build, projection) = (self.job.build, self.job.projection.clone());
        let mut pause = Duration::from_millis(50);
        loop {
            let began = Instant::now();
            let error = match self.attempt().await {
                Ok(End::Stopped) => break,
                Ok(End::Fenced) | Err(WorkError::Fenced) => {
                    info!(%build, %projection, "the lease of the build was taken away");
                    break;
                }
                Ok(End::Noted) => break,
                // What was folded behind it is dropped; the next attempt goes there and waits.
                Err(WorkError::Meeting(at)) => {
                    self.meeting = Some(at);
                    continue;
                }
                Err(error) => error,
            };
            if error.is_transient() {
                warn!(%build, %projection, %error, "work on the build is interrupted, trying again");
            } else if self.stop_for_good(error).await.is_ok() {
                break;
            }
            if began.elapsed() > Duration::from_secs(30) {
                pause = Duration::from_millis(50);
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        // Giving back what is not held any more changes nothing.
        if let Err(error) = lease::release(&self.shared.pool, self.lease).await {
            warn!(%build, %projection, %error, "cannot give the lease back; it ends by itself");
        }
        // What was changed meanwhile may be to do.
        self.shared.look_again.notify_one();
    }

    /// Works from the checkpoint on.
    async fn attempt(&mut self) -> Result<End, WorkError> {
        let Some(checkpoint) = lease::checkpoint(&self.shared.pool, self.lease).await? else { return Ok(End::Fenced) };
        let mut until = self.meeting.take();
        if let Some(at) = until.take_if(|at| *at <= checkpoint) {
            meet::wait_until_over(&self.shared.pool, self.job.build, at, &self.stop).await?;
        }
        let module = self.shared.modules.load_projection(&self.job.projection, self.job.version).await?;
        let tables = Arc::new(TableSet::new(self.job.build.schema(), module.tables()));
        let on_failure = self.job.on_failure;
        let mut folder = Folder::new(self.shared.pool.clone(), Arc::clone(&tables), module.clone(), on_failure);
        if self.job.verify_batch.is_some() {
            folder.forget();
        }
        let mut filter = feed::filter(module.descriptor());
        if !self.job.upcasters.is_empty() {
            let chain = self.shared.chain(&self.job.upcasters).await?;
            filter.widen(chain.event_types());
            folder.upcast_by(chain);
        }
        if let Some(retrying) = self.job.retrying {
            let by_stream = module.descriptor().partitioned_by == Some(Partition::Stream);
            let order = Order { types: filter.types.clone(), by_stream };
            folder = self.redeliver(folder, &tables, checkpoint, retrying, &order).await?;
            self.job.retrying = None;
        }
        folder.park(dead_letters::parked_streams(&self.shared.pool, self.job.build, checkpoint).await?);
        Attempt::new(self, filter, folder, tables, checkpoint, until).run().await
    }

    /// Stops the build for a reason that does not pass.
    async fn stop_for_good(&self, error: WorkError) -> Result<(), WorkError> {
        error!(build = %self.job.build, projection = %self.job.projection, %error, "the build stopped");
        match error {
            WorkError::TooManyDeadLetters { found, max } => {
                self.note_end(Status::Halted, &BuildError::TooManyDeadLetters { found, max }).await
            }
            error => self.note_end(Status::Failed, &BuildError::Host { message: error.to_string() }).await,
        }
    }

    /// Stops the build and notes why.
    pub(super) async fn note_end(&self, status: Status, error: &BuildError) -> Result<(), WorkError> {
        let mut transaction = self.shared.pool.begin().await?;
        hold(&mut transaction, self.lease).await?;
        store::stop_build(&mut transaction, &self.job, status, error).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Tells of an event that was set aside because the module cannot handle it.
    pub(super) fn tell_set_aside(&self, letter: &DeadLetter) {
        let Job { build, projection, version, .. } = &self.job;
        if let Some(failure) = letter.failure() {
            let stream = letter.stream();
            warn!(%build, %projection, %version, position = %letter.position, stream, %failure, "an event is set aside");
        }
    }
}
