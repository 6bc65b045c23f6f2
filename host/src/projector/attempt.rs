//! Work on a build from a checkpoint on: read, fold, commit, go on.
//!
//! The three overlap. While one step is being committed, the module folds the next portion over what that step changed, and
//! the log is read ahead of both. Steps that are folded while a commit is under way are committed together by the next.

use std::{sync::Arc, time::Instant};

use tokio::{sync::mpsc, task::JoinHandle};
use tracing::{error, info};

use super::{
    activate::HOLD,
    build::{BuildError, Phase, Status},
    commit::{Batches, CommitError, Effect, Step, commit, hold},
    dead_letters::DeadLetter,
    feed::{self, Portion},
    fold::{Folded, Folder},
    store,
    swap::{Swapped, swap},
    worker::{End, WorkError, Worker},
};
use crate::{
    event_log::{Filter, Position},
    postgres::is_transient,
    read_model::{TableSet, WriteSet},
    runtime::{BatchError, Delivery, ModuleFailure},
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

type Folding = JoinHandle<(Folder, Result<FoldedPart, BatchError>)>;
type Committing = JoinHandle<Result<(), CommitError>>;
type Swapping = JoinHandle<Result<Swapped, sqlx::Error>>;

/// Work from a checkpoint on until something fails.
pub(super) struct Attempt<'w> {
    worker: &'w mut Worker,
    tables: Arc<TableSet>,
    portions: mpsc::Receiver<Result<Portion, sqlx::Error>>,
    /// At rest while nothing is folded.
    folder: Option<Folder>,
    folding: Option<Folding>,
    pending: Option<Pending>,
    committing: Option<(Pending, Committing)>,
    /// While queries are about to turn to the build.
    swapping: Option<Swapping>,
    /// An event that the module cannot handle; the events before it are committed first.
    failure: Option<(Delivery, ModuleFailure)>,
    checkpoint: Position,
    /// Where the attempt ends, because the build meets another there.
    until: Option<Position>,
    rate: Rate,
}

impl<'w> Attempt<'w> {
    pub(super) fn new(
        worker: &'w mut Worker,
        filter: Filter,
        folder: Folder,
        tables: Arc<TableSet>,
        checkpoint: Position,
        until: Option<Position>,
    ) -> Self {
        let shared = &worker.shared;
        let mut size = shared.settings.portion;
        let mut first = feed::FIRST;
        if let Some(max_events) = worker.job.verify_batch {
            // Beginning with one event, there are two batches as soon as there are two events.
            (first, size.max_events) = (1, max_events);
        }
        Self {
            portions: feed::start(shared.log.clone(), checkpoint, until, filter, size, first),
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
            worker,
        }
    }

    pub(super) async fn run(mut self) -> Result<End, WorkError> {
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
                    let (folder, folded) = folded.map_err(|_| WorkError::Lost)?;
                    self.folder = Some(folder);
                    self.after_fold(folded.map_err(WorkError::Host)?);
                }
                swapped = wait(self.swapping.as_mut()) => {
                    self.swapping = None;
                    self.after_swap(swapped.map_err(|_| WorkError::Lost)?).await?;
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
            let batches = Batches::one(portion.events.len());
            let Portion { events, to, at_head } = portion;
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
        let shared = Arc::clone(&self.worker.shared);
        let (lease, tables, writes) = (self.worker.lease, Arc::clone(&self.tables), Arc::clone(&pending.writes));
        let set_aside = pending.set_aside.clone();
        let step = Step {
            from: self.checkpoint,
            to: pending.to,
            events_per_second: self.rate.per_second(pending.to.0 - self.checkpoint.0),
            replayable: self.worker.job.phase == Phase::Replaying,
            max_dead_letters: shared.settings.max_dead_letters,
            batches: pending.batches,
        };
        let task = tokio::spawn(async move {
            let effect = Effect { writes: &writes, taken_back: &[], set_aside: &set_aside, retry: None };
            commit(&shared.pool, lease, &tables, &step, &effect).await
        });
        self.committing = Some((pending, task));
    }

    async fn after_commit(&mut self) -> Result<(), WorkError> {
        let Some((pending, _)) = self.committing.take() else { return Ok(()) };
        self.checkpoint = pending.to;
        self.worker.committed.send_modify(|count| *count += 1);
        for letter in &pending.set_aside {
            self.worker.tell_set_aside(letter);
        }
        if pending.at_head {
            if self.worker.job.phase == Phase::Replaying {
                self.finish_replay().await?;
            }
            self.start_swap();
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
        store::set_live(&mut transaction, &job.projection, job.build, self.checkpoint).await?;
        transaction.commit().await?;
        job.phase = Phase::Live;
        info!(build = %job.build, projection = %job.projection, version = %job.version, checkpoint = %self.checkpoint,
            "the build has caught up");
        Ok(())
    }

    /// Lets queries turn to the build, if it is to become the active one. Meanwhile the build goes on: the active one may be
    /// further, and is kept where it is until this one has come as far.
    fn start_swap(&mut self) {
        let Worker { shared, job, .. } = &*self.worker;
        if !job.activate_when_live || self.swapping.is_some() {
            return;
        }
        let (shared, tables) = (Arc::clone(shared), Arc::clone(&self.tables));
        let (projection, build) = (job.projection.clone(), job.build);
        self.swapping = Some(tokio::spawn(async move {
            swap(&shared.pool, &projection, build, &tables, "it has caught up", HOLD).await
        }));
    }

    async fn after_swap(&mut self, swapped: Result<Swapped, sqlx::Error>) -> Result<(), WorkError> {
        let Worker { shared, job, .. } = &mut *self.worker;
        match swapped {
            Ok(Swapped::Done) => {
                job.activate_when_live = false;
                info!(build = %job.build, projection = %job.projection, version = %job.version,
                    "queries read the build from now on");
            }
            // The next commit tries again.
            Ok(Swapped::Behind { .. }) => {}
            Ok(Swapped::NotReady) => job.activate_when_live = false,
            Err(error) if is_transient(&error) => return Err(error.into()),
            Err(error) => {
                error!(build = %job.build, projection = %job.projection, %error, "the build cannot be activated");
                let error = BuildError::Host { message: format!("the build cannot be activated: {error}") };
                store::set_not_activated(&shared.pool, job, &error).await?;
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
