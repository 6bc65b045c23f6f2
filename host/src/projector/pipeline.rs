//! Work on a build from a checkpoint on: read, fold, commit, go on.
//!
//! The three overlap. While one step is being committed, the module folds the next batch over what that step changed, and
//! the log is read ahead of both. Steps that are folded while a commit is under way are committed together by the next.

use std::{sync::Arc, time::Instant};

use tokio::{sync::mpsc, task::JoinHandle};
use tracing::{error, info};

use super::{
    commit::{CommitError, Effect, commit},
    fold::{BatchFolder, Folded},
    work::{End, Work, WorkError},
};
use crate::{
    builds::{BuildError, Event, HOLD, Swapped, swap, tell},
    event_log::{Filter, Position},
    postgres::is_transient,
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, ModuleFailure},
    subscriptions::{Batch, Batches, DeadLetter, FIRST_BATCH, Step, follow},
};

/// Bytes of rows that may wait for a commit; above, folding waits.
const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;

/// Folded, and not committed yet: the effect of the events up to `to`.
struct Pending {
    writes: Arc<WriteSet>,
    set_aside: Vec<DeadLetter>,
    batches: Batches,
    to: Position,
    at_head: bool,
}

/// What came of a part of the log, and which part it was.
struct FoldedPart {
    folded: Folded,
    batches: Batches,
    to: Position,
    at_head: bool,
}

type Folding = JoinHandle<(BatchFolder, Result<FoldedPart, BatchError>)>;
type Committing = JoinHandle<Result<(), CommitError>>;
type Swapping = JoinHandle<Result<Swapped, sqlx::Error>>;

/// Work from a checkpoint on until something fails.
pub(super) struct Pipeline<'w> {
    work: &'w mut Work,
    tables: Arc<TableSet>,
    batches: mpsc::Receiver<Result<Batch, sqlx::Error>>,
    /// At rest while nothing is folded.
    folder: Option<BatchFolder>,
    folding: Option<Folding>,
    pending: Option<Pending>,
    committing: Option<(Pending, Committing)>,
    /// While queries are about to turn to the build.
    swapping: Option<Swapping>,
    /// An event that the module cannot handle; the events before it are committed first.
    failure: Option<(Delivery, ModuleFailure)>,
    checkpoint: Position,
    /// Where the attempt ends, because there is a barrier.
    until: Option<Position>,
    rate: Rate,
}

impl<'w> Pipeline<'w> {
    pub(super) fn new(
        work: &'w mut Work,
        filter: Filter,
        folder: BatchFolder,
        tables: Arc<TableSet>,
        checkpoint: Position,
        until: Option<Position>,
    ) -> Self {
        let shared = &work.shared;
        let mut size = shared.settings.batch;
        let mut first = FIRST_BATCH;
        if let Some(verifies) = work.job.build.verifies {
            // Beginning with one event, there are two batches as soon as there are two events.
            (first, size.max_events) = (1, verifies.batch_events);
        }
        Self {
            batches: follow(shared.log.clone(), checkpoint, until, filter, size, first),
            folder: Some(folder),
            tables,
            folding: None,
            pending: None,
            committing: None,
            swapping: None,
            failure: None,
            checkpoint,
            until,
            rate: Rate::new(),
            work,
        }
    }

    pub(super) async fn run(mut self) -> Result<End, WorkError> {
        loop {
            if self.committing.is_none() && self.work.stop.is_cancelled() {
                return Ok(End::Stopped);
            }
            self.start_commit();
            if self.committing.is_none()
                && self.pending.is_none()
                && let Some((event, failure)) = self.failure.take()
            {
                return self.halt(event, failure).await;
            }
            let takes_batches = self.folding.is_none() && self.failure.is_none() && self.has_room();
            tokio::select! {
                committed = wait(self.committing.as_mut().map(|(_, task)| task)) => {
                    committed.map_err(|_| WorkError::Lost)??;
                    self.after_commit().await?;
                }
                folded = wait(self.folding.as_mut()) => {
                    self.folding = None;
                    let (folder, folded) = folded.map_err(|_| WorkError::Lost)?;
                    self.folder = Some(folder);
                    self.after_fold(folded.map_err(WorkError::Host)?);
                }
                swapped = wait(self.swapping.as_mut()) => {
                    self.swapping = None;
                    self.after_swap(swapped.map_err(|_| WorkError::Lost)?).await?;
                }
                batch = self.batches.recv(), if takes_batches => {
                    // The feed ends after an error only.
                    self.start_fold(batch.ok_or(WorkError::Lost)??);
                }
                () = self.work.stop.cancelled(), if self.committing.is_none() => return Ok(End::Stopped),
            }
        }
    }

    fn has_room(&self) -> bool {
        self.pending.as_ref().is_none_or(|pending| pending.writes.bytes() < MAX_PENDING_BYTES)
    }

    fn start_fold(&mut self, batch: Batch) {
        let Some(mut folder) = self.folder.take() else { return };
        let in_flight = self.committing.as_ref().map(|(pending, _)| &pending.writes);
        let pending = self.pending.as_ref().map(|pending| &pending.writes);
        let layers: Vec<Arc<WriteSet>> = in_flight.into_iter().chain(pending).cloned().collect();
        self.folding = Some(tokio::task::spawn_blocking(move || {
            let batches = Batches::one(batch.events.len());
            let Batch { events, to, at_head } = batch;
            let folded = folder.fold(events, &layers);
            (folder, folded.map(|folded| FoldedPart { folded, batches, to, at_head }))
        }));
    }

    fn after_fold(&mut self, part: FoldedPart) {
        let FoldedPart { folded, batches, mut to, mut at_head } = part;
        if let Some((event, _)) = &folded.stopped {
            (to, at_head) = (Position(event.position.0 - 1), false);
        }
        self.failure = folded.stopped;
        match &mut self.pending {
            // Nothing was folded since: what is waiting is what there is.
            Some(pending) => {
                Arc::make_mut(&mut pending.writes).merge(folded.writes);
                pending.set_aside.extend(folded.set_aside);
                pending.batches = pending.batches.and(batches);
                (pending.to, pending.at_head) = (to, at_head);
            }
            none => {
                let (writes, set_aside) = (Arc::new(folded.writes), folded.set_aside);
                *none = Some(Pending { writes, set_aside, batches, to, at_head });
            }
        }
    }

    fn start_commit(&mut self) {
        if self.committing.is_some() {
            return;
        }
        let Some(pending) = self.pending.take() else { return };
        let shared = Arc::clone(&self.work.shared);
        let (lease, tables, writes) = (self.work.lease, Arc::clone(&self.tables), Arc::clone(&pending.writes));
        let set_aside = pending.set_aside.clone();
        let step = Step {
            from: self.checkpoint,
            to: pending.to,
            events_per_second: self.rate.per_second(pending.to.0 - self.checkpoint.0),
            batches: pending.batches,
        };
        let (replayable, max_dead_letters) = (self.work.is_replaying(), shared.settings.max_dead_letters);
        let task = tokio::spawn(async move {
            let (writes, set_aside) = (&*writes, set_aside.as_slice());
            let effect = Effect { writes, taken_back: &[], set_aside, max_dead_letters, retry: None, replayable };
            commit(&shared.pool, lease, &tables, &step, &effect).await
        });
        self.committing = Some((pending, task));
    }

    async fn after_commit(&mut self) -> Result<(), WorkError> {
        let Some((pending, _)) = self.committing.take() else { return Ok(()) };
        self.checkpoint = pending.to;
        self.work.committed.send_modify(|count| *count += 1);
        for letter in &pending.set_aside {
            self.work.log_set_aside(letter);
        }
        if pending.at_head {
            if self.work.is_replaying() {
                self.finish_replay().await?;
            }
            self.start_swap();
        }
        match self.until.filter(|at| self.checkpoint >= *at) {
            Some(at) => Err(WorkError::Barrier(at)),
            None => Ok(()),
        }
    }

    /// The log's end is reached for the first time: the tables get their indexes.
    async fn finish_replay(&mut self) -> Result<(), WorkError> {
        let Work { shared, job, lease, .. } = &mut *self.work;
        let mut transaction = shared.pool.begin().await?;
        self.tables.add_indexes(&mut transaction).await?;
        let cause = format!("it holds every event up to position {}", self.checkpoint);
        job.build.state = tell(&mut transaction, *lease, Event::CaughtUp, None, &cause).await?;
        transaction.commit().await?;
        info!(build = %job.build.id, projection = %job.build.projection, version = %job.build.version,
            checkpoint = %self.checkpoint, "the build has caught up");
        Ok(())
    }

    /// Lets queries turn to the build, if it is to become the active one. Meanwhile the build goes on: the active one may be
    /// further, and is kept where it is until this one has come as far.
    fn start_swap(&mut self) {
        let Work { shared, job, .. } = &*self.work;
        if !job.build.state.activates_when_live() || self.swapping.is_some() {
            return;
        }
        let (shared, tables) = (Arc::clone(shared), Arc::clone(&self.tables));
        let (projection, build) = (job.build.projection.clone(), job.build.id);
        self.swapping = Some(tokio::spawn(async move {
            swap(&shared.pool, &projection, build, &tables, "it has caught up", HOLD).await
        }));
    }

    async fn after_swap(&mut self, swapped: Result<Swapped, sqlx::Error>) -> Result<(), WorkError> {
        let (build, projection) = (self.work.job.build.id, self.work.job.build.projection.clone());
        match swapped {
            Ok(Swapped::Done) => {
                info!(%build, %projection, version = %self.work.job.build.version,
                    "queries read the build from now on");
            }
            // The next commit tries again.
            Ok(Swapped::Behind { .. }) => return Ok(()),
            Ok(Swapped::NotReady(_)) => {}
            Err(error) if is_transient(&error) => return Err(error.into()),
            Err(error) => {
                error!(%build, %projection, %error, "the build cannot be activated");
                let error = BuildError::Host { message: format!("the build cannot be activated: {error}") };
                self.work.tell(Event::ActivationFailed, Some(&error)).await?;
            }
        }
        self.work.refresh().await
    }

    async fn halt(&mut self, event: Delivery, failure: ModuleFailure) -> Result<End, WorkError> {
        let build = &self.work.job.build;
        error!(build = %build.id, projection = %build.projection, version = %build.version, stream = event.stream,
            event_type = event.event_type, %failure, "the build is halted");
        let error = BuildError::Module { failure, stream: event.stream, event_type: event.event_type };
        self.work.tell(Event::Halted, Some(&error)).await?;
        Ok(End::Noted)
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        // A commit that nobody waits for any more may still go through; the next attempt begins at whatever it left.
        if let Some((_, task)) = &self.committing {
            task.abort();
        }
        if let Some(task) = &self.swapping {
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
