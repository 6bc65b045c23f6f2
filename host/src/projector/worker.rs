//! Working on one build until there is an end, whatever passes by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Shared, commit::CommitError, fold::BatchFolder, pipeline::Pipeline, redelivery::Order};
use crate::{
    builds::{self, BuildError, Event, Job, Stage, TellError, tell},
    event_log::Position,
    modules::{ChainError, LoadError},
    postgres::is_transient,
    read_model::TableSet,
    runtime::{BatchError, Partition},
    subscriptions::{self, AdvanceError, DeadLetter, Lease},
};

/// How often a build that is kept by a barrier looks whether it is lifted.
const BARRIER_POLL: Duration = Duration::from_millis(10);

/// Works on a build until it is told to stop, the lease is lost, or the build itself stops.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) job: Job,
    pub(super) lease: Lease,
    pub(super) stop: CancellationToken,
    /// Told of each commit of this host.
    pub(super) committed: watch::Sender<u64>,
    /// Where a barrier keeps the build.
    barrier: Option<Position>,
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
    #[error("there is a barrier at position {0}")]
    Barrier(Position),
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
            Self::Host(_) | Self::Lost | Self::Barrier(_) => true,
        }
    }
}

impl From<CommitError> for WorkError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Advance(AdvanceError::Fenced) => Self::Fenced,
            CommitError::Advance(AdvanceError::Barrier(at)) => Self::Barrier(at),
            CommitError::Advance(AdvanceError::Postgres(error)) => Self::Postgres(error),
            CommitError::TooManyDeadLetters { found, max } => Self::TooManyDeadLetters { found, max },
        }
    }
}

impl From<TellError> for WorkError {
    fn from(error: TellError) -> Self {
        match error {
            TellError::Fenced => Self::Fenced,
            TellError::Change(builds::ChangeError::Postgres(error)) => Self::Postgres(error),
            // Somebody changed the build, and with it took the lease, or is about to.
            TellError::Change(_) => Self::Fenced,
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
        Self { shared, job, lease, stop, committed, barrier: None }
    }

    /// Works until there is an end, trying again for as long as it takes what passes by itself.
    pub(super) async fn run(mut self) {
        let (build, projection) = (self.job.build.id, self.job.build.projection.clone());
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
                Err(WorkError::Barrier(at)) => {
                    self.barrier = Some(at);
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
        if let Err(error) = subscriptions::release(&self.shared.pool, self.lease).await {
            warn!(%build, %projection, %error, "cannot give the lease back; it ends by itself");
        }
        // What was changed meanwhile may be to do.
        self.shared.look_again.notify_one();
    }

    /// Works from the checkpoint on.
    async fn attempt(&mut self) -> Result<End, WorkError> {
        let Some(checkpoint) = subscriptions::checkpoint(&self.shared.pool, self.lease).await? else {
            return Ok(End::Fenced);
        };
        let mut until = self.barrier.take();
        if let Some(at) = until.take_if(|at| *at <= checkpoint) {
            self.wait_for_barrier(at).await?;
        }
        let build = &self.job.build;
        let module = self.shared.modules.load_projection(&build.projection, build.version).await?;
        let tables = Arc::new(TableSet::new(build.id.schema(), module.tables()));
        let on_failure = self.job.on_failure;
        let mut folder = BatchFolder::new(self.shared.pool.clone(), Arc::clone(&tables), module.clone(), on_failure);
        if build.verifies.is_some() {
            folder.forget();
        }
        let mut filter = module.descriptor().filter();
        if !build.upcasters.is_empty() {
            let chain = self.shared.modules.load_chain(&builds::names_of(&build.upcasters)).await?;
            filter.widen(chain.event_types());
            folder.upcast_by(chain);
        }
        if let Some(retrying) = self.job.retrying {
            let by_stream = module.descriptor().partitioned_by == Some(Partition::Stream);
            let order = Order { types: filter.types.clone(), by_stream };
            folder = self.redeliver(folder, &tables, checkpoint, retrying, &order).await?;
            self.job.retrying = None;
        }
        folder.park(subscriptions::parked_streams(&self.shared.pool, self.lease.subscription, checkpoint).await?);
        Pipeline::new(self, filter, folder, tables, checkpoint, until).run().await
    }

    /// Waits until the barrier that keeps the build is lifted, or until it is told to stop.
    async fn wait_for_barrier(&self, at: Position) -> Result<(), sqlx::Error> {
        while subscriptions::barrier_stands(&self.shared.pool, self.lease.subscription, at).await? {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(BARRIER_POLL) => {}
            }
        }
        Ok(())
    }

    /// Whether the build is filled for the first time.
    pub(super) fn is_replaying(&self) -> bool {
        self.job.build.state.kept().is_some_and(|kept| kept.stage == Stage::Replaying)
    }

    /// Reads the state of the build again, after queries turned to it, or did not.
    pub(super) async fn refresh(&mut self) -> Result<(), WorkError> {
        let build = builds::get(&self.shared.pool, &[self.job.build.id]).await?.pop().ok_or(WorkError::Fenced)?;
        self.job.build = build;
        Ok(())
    }

    /// Stops the build for a reason that does not pass.
    async fn stop_for_good(&self, error: WorkError) -> Result<(), WorkError> {
        let build = &self.job.build;
        error!(build = %build.id, projection = %build.projection, %error, "the build stopped");
        match error {
            WorkError::TooManyDeadLetters { found, max } => {
                self.tell(Event::Halted, Some(&BuildError::TooManyDeadLetters { found, max })).await
            }
            error => self.tell(Event::Failed, Some(&BuildError::Host { message: error.to_string() })).await,
        }
    }

    /// Tells what happened to the build, and why.
    pub(super) async fn tell(&self, event: Event, error: Option<&BuildError>) -> Result<(), WorkError> {
        let mut transaction = self.shared.pool.begin().await?;
        let cause = error.map(ToString::to_string).unwrap_or_default();
        tell(&mut transaction, self.lease, event, error, &cause).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Logs an event that was set aside because the module cannot handle it.
    pub(super) fn log_set_aside(&self, letter: &DeadLetter) {
        let build = &self.job.build;
        if let Some(failure) = letter.failure() {
            let (stream, position) = (letter.stream(), letter.position);
            warn!(build = %build.id, projection = %build.projection, version = %build.version, %position, stream, %failure,
                "an event is set aside");
        }
    }
}
