//! Working on one build: read, fold, commit, go on.
//!
//! The three overlap. While one step is being committed, the module folds the next portion over what that step changed, and
//! the log is read ahead of both. Steps that are folded while a commit is under way are committed together by the next.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    Shared,
    activate::{Activation, activate},
    build::{BuildError, Phase, Status},
    commit::{CommitError, Step, commit, hold},
    feed::{self, Portion},
    fold::{FoldError, Folder},
    lease::{self, Lease},
    meet,
    store::{self, Job},
};
use crate::{
    event_log::Position,
    modules::LoadError,
    postgres::is_transient,
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, Module, ModuleFailure, ProjectionModule},
};

/// Bytes of rows that may wait for a commit; above, folding waits.
const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;

/// Works on a build until it is told to stop, the lease is lost, or the build itself stops.
pub(super) struct Worker {
    shared: Arc<Shared>,
    job: Job,
    lease: Lease,
    stop: CancellationToken,
    /// Told of each commit of this host.
    committed: watch::Sender<u64>,
    /// Where the build is called to meet another.
    meeting: Option<Position>,
}

/// Why work ends for good.
enum End {
    Stopped,
    Fenced,
    /// The build's own end is noted already.
    Noted,
}

/// Why an attempt ends.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error("the lease is lost")]
    Fenced,
    #[error("the build is called to a meeting at position {0}")]
    Meeting(Position),
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Host(BatchError),
    #[error("the thread of the module was lost")]
    Lost,
}

impl WorkError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Fenced => false,
            Self::Postgres(error) => is_transient(error),
            Self::Load(error) => error.is_transient(),
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
                    warn!(%build, %projection, "another host has taken over the build");
                    return;
                }
                Ok(End::Noted) => break,
                // What was folded behind it is dropped; the next attempt goes there and waits.
                Err(WorkError::Meeting(at)) => {
                    self.meeting = Some(at);
                    continue;
                }
                Err(error) => error,
            };
            if !error.is_transient() {
                error!(%build, %projection, %error, "the build failed");
                let error = BuildError::Host { message: error.to_string() };
                if self.note_end(Status::Failed, &error).await.is_ok() {
                    break;
                }
            } else {
                warn!(%build, %projection, %error, "work on the build is interrupted, trying again");
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
        if let Err(error) = lease::release(&self.shared.pool, self.lease).await {
            warn!(%build, %projection, %error, "cannot give the lease back; it ends by itself");
        }
    }

    /// Works from the checkpoint on.
    async fn attempt(&mut self) -> Result<End, WorkError> {
        let Some(checkpoint) = lease::checkpoint(&self.shared.pool, self.lease).await? else { return Ok(End::Fenced) };
        let mut until = self.meeting.take();
        if let Some(at) = until.take_if(|at| *at <= checkpoint) {
            meet::wait_until_over(&self.shared.pool, self.job.build, at, &self.stop).await?;
        }
        let Module::Projection(module) = self.shared.modules.load(&self.job.projection, self.job.version).await?;
        let tables = Arc::new(TableSet::new(self.job.build.schema(), module.tables()));
        Attempt::new(self, module, tables, checkpoint, until).run().await
    }

    /// Stops the build and notes why.
    async fn note_end(&self, status: Status, error: &BuildError) -> Result<(), WorkError> {
        let mut transaction = self.shared.pool.begin().await?;
        hold(&mut transaction, self.lease).await?;
        store::stop_build(&mut transaction, self.job.build, status, error).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Folded, and not committed yet: the effect of the events up to `to`.
struct Pending {
    writes: Arc<WriteSet>,
    to: Position,
    at_head: bool,
}

type Folded = (Folder, Portion, Result<WriteSet, FoldError>);
type Committing = JoinHandle<Result<(), CommitError>>;

/// Work from a checkpoint on until something fails.
struct Attempt<'w> {
    worker: &'w mut Worker,
    tables: Arc<TableSet>,
    portions: mpsc::Receiver<Result<Portion, sqlx::Error>>,
    /// At rest while nothing is folded.
    folder: Option<Folder>,
    folding: Option<JoinHandle<Folded>>,
    pending: Option<Pending>,
    committing: Option<(Pending, Committing)>,
    /// An event that the module cannot handle; the events before it are committed first.
    failure: Option<(Delivery, ModuleFailure)>,
    checkpoint: Position,
    /// Where the attempt ends, because the build meets another there.
    until: Option<Position>,
    rate: Rate,
}

impl<'w> Attempt<'w> {
    fn new(
        worker: &'w mut Worker,
        module: ProjectionModule,
        tables: Arc<TableSet>,
        checkpoint: Position,
        until: Option<Position>,
    ) -> Self {
        let shared = &worker.shared;
        let filter = feed::filter(module.descriptor());
        Self {
            portions: feed::start(shared.log.clone(), checkpoint, until, filter, shared.settings.portion),
            folder: Some(Folder::new(shared.pool.clone(), Arc::clone(&tables), module)),
            tables,
            folding: None,
            pending: None,
            committing: None,
            failure: None,
            checkpoint,
            until,
            rate: Rate::new(),
            worker,
        }
    }

    async fn run(mut self) -> Result<End, WorkError> {
        loop {
            if self.committing.is_none() && self.worker.stop.is_cancelled() {
                return Ok(End::Stopped);
            }
            self.start_commit();
            if self.committing.is_none()
                && self.pending.is_none()
                && let Some((event, failure)) = self.failure.take()
            {
                return self.halt(event, failure).await;
            }
            let takes_portions = self.folding.is_none() && self.failure.is_none() && self.has_room();
            tokio::select! {
                committed = wait(self.committing.as_mut().map(|(_, task)| task)) => {
                    committed.map_err(|_| WorkError::Lost)??;
                    self.after_commit().await?;
                }
                folded = wait(self.folding.as_mut()) => {
                    self.folding = None;
                    self.after_fold(folded.map_err(|_| WorkError::Lost)?)?;
                }
                portion = self.portions.recv(), if takes_portions => {
                    // The feed ends after an error only.
                    self.start_fold(portion.ok_or(WorkError::Lost)??);
                }
                () = self.worker.stop.cancelled(), if self.committing.is_none() => return Ok(End::Stopped),
            }
        }
    }

    fn has_room(&self) -> bool {
        self.pending.as_ref().is_none_or(|pending| pending.writes.bytes() < MAX_PENDING_BYTES)
    }

    fn start_fold(&mut self, portion: Portion) {
        let Some(mut folder) = self.folder.take() else { return };
        let in_flight = self.committing.as_ref().map(|(pending, _)| &pending.writes);
        let pending = self.pending.as_ref().map(|pending| &pending.writes);
        let layers: Vec<Arc<WriteSet>> = in_flight.into_iter().chain(pending).cloned().collect();
        self.folding = Some(tokio::task::spawn_blocking(move || {
            let folded = folder.fold(&portion.events, &layers);
            (folder, portion, folded)
        }));
    }

    fn after_fold(&mut self, (folder, portion, folded): Folded) -> Result<(), WorkError> {
        self.folder = Some(folder);
        match folded {
            Ok(writes) => self.add_pending(writes, portion.to, portion.at_head),
            Err(FoldError::Event { before, place, failure }) => {
                let event = portion.events.into_iter().nth(place).ok_or(WorkError::Lost)?;
                self.add_pending(before, Position(event.position.0 - 1), false);
                self.failure = Some((event, failure));
            }
            Err(FoldError::Host(error)) => return Err(WorkError::Host(error)),
        }
        Ok(())
    }

    fn add_pending(&mut self, writes: WriteSet, to: Position, at_head: bool) {
        match &mut self.pending {
            // Nothing was folded since: what is waiting is what there is.
            Some(pending) => {
                Arc::make_mut(&mut pending.writes).merge(writes);
                (pending.to, pending.at_head) = (to, at_head);
            }
            none => *none = Some(Pending { writes: Arc::new(writes), to, at_head }),
        }
    }

    fn start_commit(&mut self) {
        if self.committing.is_some() {
            return;
        }
        let Some(pending) = self.pending.take() else { return };
        let shared = Arc::clone(&self.worker.shared);
        let (lease, tables, writes) = (self.worker.lease, Arc::clone(&self.tables), Arc::clone(&pending.writes));
        let step = Step {
            from: self.checkpoint,
            to: pending.to,
            events_per_second: self.rate.per_second(pending.to.0 - self.checkpoint.0),
            replayable: self.worker.job.phase == Phase::Replaying,
        };
        let task = tokio::spawn(async move { commit(&shared.pool, lease, &tables, &step, &writes).await });
        self.committing = Some((pending, task));
    }

    async fn after_commit(&mut self) -> Result<(), WorkError> {
        let Some((pending, _)) = self.committing.take() else { return Ok(()) };
        self.checkpoint = pending.to;
        self.worker.committed.send_modify(|count| *count += 1);
        if pending.at_head {
            if self.worker.job.phase == Phase::Replaying {
                self.finish_replay().await?;
            }
            if self.worker.job.activate_when_live {
                self.try_activate().await?;
            }
        }
        match self.until.filter(|at| self.checkpoint >= *at) {
            Some(at) => Err(WorkError::Meeting(at)),
            None => Ok(()),
        }
    }

    /// The log's end is reached for the first time: the tables get their indexes.
    async fn finish_replay(&mut self) -> Result<(), WorkError> {
        let Worker { shared, job, lease, .. } = &mut *self.worker;
        let mut transaction = shared.pool.begin().await?;
        self.tables.add_indexes(&mut transaction).await?;
        hold(&mut transaction, *lease).await?;
        store::set_live(&mut transaction, job.build).await?;
        transaction.commit().await?;
        job.phase = Phase::Live;
        info!(build = %job.build, projection = %job.projection, version = %job.version, checkpoint = %self.checkpoint,
            "the build has caught up");
        Ok(())
    }

    async fn try_activate(&mut self) -> Result<(), WorkError> {
        let Worker { shared, job, .. } = &mut *self.worker;
        match activate(&shared.pool, &job.projection, job.build, &self.tables).await {
            Ok(Activation::Done) => {
                job.activate_when_live = false;
                info!(build = %job.build, projection = %job.projection, version = %job.version,
                    "queries read the build from now on");
            }
            // The next commit tries again.
            Ok(Activation::Behind) => {}
            Ok(Activation::NotReady) => job.activate_when_live = false,
            Err(error) if is_transient(&error) => return Err(error.into()),
            Err(error) => {
                error!(build = %job.build, projection = %job.projection, %error, "the build cannot be activated");
                let error = BuildError::Host { message: format!("the build cannot be activated: {error}") };
                store::set_not_activated(&shared.pool, job.build, &error).await?;
                job.activate_when_live = false;
            }
        }
        Ok(())
    }

    async fn halt(&mut self, event: Delivery, failure: ModuleFailure) -> Result<End, WorkError> {
        let job = &self.worker.job;
        error!(build = %job.build, projection = %job.projection, version = %job.version, stream = event.stream,
            event_type = event.event_type, %failure, "the build is halted");
        let error = BuildError::Module { failure, stream: event.stream, event_type: event.event_type };
        self.worker.note_end(Status::Halted, &error).await?;
        Ok(End::Noted)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // A commit that nobody waits for any more may still go through; the next attempt begins at whatever it left.
        if let Some((_, task)) = &self.committing {
            task.abort();
        }
    }
}

/// Waits for a task; for ever if there is none.
async fn wait<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, tokio::task::JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

/// How fast a build goes, lately.
struct Rate {
    last: Instant,
    per_second: f64,
}

impl Rate {
    fn new() -> Self {
        Self { last: Instant::now(), per_second: 0.0 }
    }

    /// Events a second, with these events passed since the last call; older speeds fade within seconds.
    fn per_second(&mut self, events: u64) -> f64 {
        let seconds = self.last.elapsed().as_secs_f64().max(1e-6);
        self.last = Instant::now();
        let weight = 1.0 - (-seconds / 2.0).exp();
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let now = events as f64 / seconds;
        self.per_second += (now - self.per_second) * weight;
        self.per_second
    }
}
