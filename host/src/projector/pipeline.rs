//! Work on a build from a checkpoint on: read, fold, commit, and again.
//!
//! The three overlap. While one step is being committed, the module folds the next batch over what that step changed, and
//! the log is read ahead of both. Steps that are folded while a commit is under way are committed together by the next.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::Executor as _;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
    time::sleep_until,
};
use tracing::info;

use super::{
    commit::{Effect, commit},
    own_swap::{self, OwnSwap},
    runner::{ModuleRunner, ProjectionFolder},
    stop::Stop,
    traces::batch_span,
    waiting::Needed,
    work::Work,
};
#[cfg(test)]
use crate::folding::FaultPoint;
use crate::{
    builds::{BuildError, WorkerReport, age, bytes_of, report},
    event_log::{Filter, Position},
    folding::{BatchFolder, FailedEvent, FailureHandling, FoldClock, FoldSize, Folded, KeptRows, Rate},
    metrics,
    read_model::{TableSet, WriteSet},
    runtime::BatchError,
    subscriptions::{
        self, Batch, BatchSize, Batches, COMMIT_LOCK_TIMEOUT, DeadLetter, FIRST_PIECE, Feed, Handled, Step, Wanted,
        follow,
    },
    telemetry::Span,
};

/// The size of uncommitted rows, in bytes, above which folding waits for a commit.
const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;

/// While a build is filled for the first time, its rows change again and again: they are written when they take so many bytes, or after so
/// much time at most. It begins with less, so that an interruption costs half of the work at most, or so little that it does not matter.
const REPLAYED_BYTES: usize = MAX_PENDING_BYTES / 4;
const REPLAYED_FOR: Duration = Duration::from_secs(4);
const REPLAYED_FROM: Duration = Duration::from_millis(250);

/// For how long the checkpoint of a build that queries read may stay before events that mean nothing to it, unless somebody waits for one of
/// them.
const PASSED_OVER_FOR: Duration = Duration::from_millis(500);

/// The effect of the events up to `to`, folded and not committed yet.
struct Pending {
    writes: Arc<WriteSet>,
    handled: Handled,
    set_aside: Vec<DeadLetter>,
    batches: Batches,
    to: Position,
    at_head: bool,
    /// The span of its first batch, which ends when it is committed.
    span: Span,
}

/// The result of folding a batch, and the range of the log that it covers.
struct FoldedBatch {
    folded: Folded<<ProjectionFolder as BatchFolder>::Answer>,
    batches: Batches,
    to: Position,
    at_head: bool,
    took: Duration,
    span: Span,
}

/// The module's runner is either idle, or in the task that folds a batch.
enum Fold {
    Idle(Box<IdleRunner>),
    Running(JoinHandle<Result<(Box<IdleRunner>, FoldedBatch), BatchError>>),
}

/// A runner that is ready for the next batch, and what it does at events that the module cannot handle.
struct IdleRunner {
    runner: ModuleRunner,
    handling: FailureHandling,
}

/// A commit under way.
struct RunningCommit {
    /// What it writes; batches are folded over this meanwhile.
    writes: Arc<WriteSet>,
    task: JoinHandle<Result<Pending, Stop>>,
}

impl Pending {
    /// Whether there is nothing but a checkpoint to move.
    fn changes_nothing(&self) -> bool {
        self.batches.events == 0 && self.set_aside.is_empty()
    }
}

/// What the pipeline waits for, other than the next batch and the end of a fold.
enum Progress {
    /// What is pending may be due.
    Due,
    Committed(Result<Result<Pending, Stop>, JoinError>),
    Swapped(own_swap::Ended),
    StopAsked,
}

/// Work from a checkpoint on, until something stops it.
pub(super) struct Pipeline<'w> {
    work: &'w mut Work,
    tables: Arc<TableSet>,
    /// `None` if rows are read from Postgres each time.
    kept: Option<Arc<Mutex<KeptRows>>>,
    pending: Option<Pending>,
    commit: Option<RunningCommit>,
    /// When this run began, and when its last commit did.
    began: Instant,
    commit_began: Instant,
    /// What was committed since the last batch was folded.
    committed: Vec<Arc<WriteSet>>,
    /// The swap that makes this build the active one.
    swap: OwnSwap,
    /// An event that the module cannot handle. The events before it are committed before the build halts.
    failed: Option<FailedEvent>,
    fold_size: FoldSize,
    /// The position that somebody waits for.
    awaited: watch::Receiver<Position>,
    checkpoint: Position,
    /// The position of a barrier, where the run ends.
    until: Option<Position>,
    rate: Rate,
}

impl<'w> Pipeline<'w> {
    pub(super) fn new(
        work: &'w mut Work,
        tables: Arc<TableSet>,
        checkpoint: Position,
        until: Option<Position>,
    ) -> Self {
        let (pending, commit, failed) = (None, None, None);
        let swap = OwnSwap::new(Arc::clone(&tables));
        let until = match (until, work.job.build.stop_at) {
            (Some(barrier), Some(end)) => Some(barrier.min(end)),
            (barrier, end) => barrier.or(end),
        };
        // A verification folds what was folded before in another way, so that it finds what this way does wrong.
        let kept = work.job.build.verifies.is_none().then(|| {
            Arc::new(Mutex::new(KeptRows::new(&tables, checkpoint == Position::default(), work.shared.rows.clone())))
        });
        let fold_size = FoldSize::new(match work.job.build.verifies {
            None => work.shared.settings.batch,
            // Its batches are as small as they are read.
            Some(_) => BatchSize { max_events: 0, max_bytes: 0 },
        });
        let awaited = work.shared.awaited.subscribe();
        Self {
            work,
            tables,
            kept,
            pending,
            commit,
            began: Instant::now(),
            commit_began: Instant::now(),
            committed: Vec::new(),
            swap,
            failed,
            fold_size,
            awaited,
            checkpoint,
            until,
            rate: Rate::new(),
        }
    }

    /// Folds the events that match the filter, until something stops it.
    pub(super) async fn run(
        mut self,
        filter: Filter,
        mut runner: ModuleRunner,
        handling: FailureHandling,
    ) -> Result<Infallible, Stop> {
        if let Some(kept) = &self.kept {
            runner.keep_rows(Arc::clone(kept));
            // A past build leaves the cores to those that follow the log.
            if self.work.is_replaying() && self.work.job.build.stop_at.is_none() {
                runner.folder().instances.take_cores(&self.work.shared.spare_cores);
            }
        }
        let mut feed = self.follow_log(filter);
        let memory = runner.folder().memory().clone();
        let mut fold = Fold::Idle(Box::new(IdleRunner { runner, handling }));
        loop {
            if self.commit.is_none() && self.work.stop.is_cancelled() {
                return Err(Stop::Asked);
            }
            self.start_commit();
            if self.commit.is_none()
                && self.pending.is_none()
                && let Some(FailedEvent { event, failure }) = self.failed.take()
            {
                let (stream, event_type) = (event.stream.into(), event.event_type.into());
                return Err(Stop::Halted(BuildError::Module { failure, stream, event_type }));
            }
            // Only those of a build that queries read: another one has to reach the head to be read.
            feed.pass_over(!self.work.is_replaying() && !self.swap.is_running() && self.work.was_activated());
            let takes_batches = self.failed.is_none() && self.has_room();
            fold = match fold {
                Fold::Idle(runner) => tokio::select! {
                    batch = feed.next(self.fold_size.now()), if takes_batches => {
                        let batch = batch.ok_or_else(|| Stop::Interrupted("the log is closed".to_owned()))??;
                        self.start_fold(runner, batch)
                    }
                    progress = self.next_progress() => {
                        self.after_progress(progress).await?;
                        Fold::Idle(runner)
                    }
                    // What the module would only have again at the next batch.
                    () = memory.until_short(), if runner.runner.keeps_memory() => {
                        let mut runner = runner;
                        runner.runner.free_memory();
                        Fold::Idle(runner)
                    }
                },
                Fold::Running(mut task) => tokio::select! {
                    folded = &mut task => {
                        let (runner, batch) = folded??;
                        self.after_fold(batch);
                        Fold::Idle(runner)
                    }
                    progress = self.next_progress() => {
                        self.after_progress(progress).await?;
                        Fold::Running(task)
                    }
                },
            };
        }
    }

    fn follow_log(&self, filter: Filter) -> Feed {
        let shared = &self.work.shared;
        let mut size = shared.settings.batch;
        let mut first = FIRST_PIECE;
        if let Some(verifies) = self.work.job.build.verifies {
            // Batches of one event, then two and so on, so that even a short log has several.
            (first, size.max_events) = (1, verifies.batch_events);
        }
        // A verification reads for itself, as it does all else.
        let together = self.work.job.build.verifies.is_none().then_some(&shared.pieces);
        let wanted = Wanted {
            after: self.checkpoint,
            until: self.until,
            filter,
            size,
            first,
            passed_over_for: PASSED_OVER_FOR,
            awaited: self.awaited.clone(),
        };
        follow(shared.log.clone(), wanted, together)
    }

    fn has_room(&self) -> bool {
        self.pending.as_ref().is_none_or(|pending| pending.writes.memory() < MAX_PENDING_BYTES)
    }

    /// Waits until a commit or a swap ends, or until the supervisor asks the worker to stop while nothing is being committed.
    async fn next_progress(&mut self) -> Progress {
        let is_passing_over = self.commit.is_none() && self.pending.is_some() && !self.work.is_replaying();
        tokio::select! {
            () = sleep_until((self.commit_began + PASSED_OVER_FOR).into()), if is_passing_over => Progress::Due,
            Ok(()) = self.awaited.changed(), if is_passing_over => Progress::Due,
            committed = wait(self.commit.as_mut().map(|commit| &mut commit.task)) => Progress::Committed(committed),
            swapped = self.swap.end() => Progress::Swapped(swapped),
            () = self.work.stop.cancelled(), if self.commit.is_none() => Progress::StopAsked,
        }
    }

    async fn after_progress(&mut self, progress: Progress) -> Result<(), Stop> {
        match progress {
            Progress::Due => Ok(()),
            Progress::Committed(committed) => {
                self.commit = None;
                self.after_commit(committed??).await
            }
            Progress::Swapped(swapped) => self.swap.after(self.work, swapped).await,
            Progress::StopAsked => Err(Stop::Asked),
        }
    }

    fn start_fold(&mut self, mut idle: Box<IdleRunner>, batch: Batch) -> Fold {
        #[cfg(test)]
        FaultPoint::WorkerTask.pass(batch.events.iter());
        let in_flight = self.commit.as_ref().map(|commit| &commit.writes);
        let pending = self.pending.as_ref().map(|pending| &pending.writes);
        let layers: Vec<Arc<WriteSet>> = in_flight.into_iter().chain(pending).cloned().collect();
        let (kept, committed) = (self.kept.clone(), std::mem::take(&mut self.committed));
        let is_live = !self.work.is_replaying();
        let span = batch_span(&self.work.job.build, &batch.events, !is_live);
        let shared = &self.work.shared;
        let threads = if self.work.job.build.stop_at.is_some() { &shared.past_folding } else { &shared.folding };
        Fold::Running(threads.run(move || {
            if let Some(kept) = &kept {
                if is_live {
                    idle.runner.folder().instances.give_cores_back();
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                committed.into_iter().for_each(|writes| kept.absorb(writes, is_live));
            }
            let batches = Batches::one(batch.events.len());
            let Batch { events, to, at_head, .. } = batch;
            let began = FoldClock::start();
            let folding = span.within("fold", |_| {});
            let entered = folding.clone().enter();
            let mut folded = idle.runner.fold(events.iter().collect(), &layers, &mut idle.handling)?;
            drop(entered);
            if let Some(stopped) = &folded.stopped {
                folding.failed(&stopped.failure);
            }
            drop(folding);
            if let Some(kept) = kept.filter(|_| !is_live) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).note_new(&mut folded.writes, &layers);
            }
            Ok((idle, FoldedBatch { folded, batches, to, at_head, took: began.took(), span }))
        }))
    }

    fn after_fold(&mut self, batch: FoldedBatch) {
        let FoldedBatch { folded, batches, mut to, mut at_head, took, span } = batch;
        self.fold_size.folded(batches.events, took, folded.writes.bytes());
        if let Some(failed) = &folded.stopped {
            (to, at_head) = (Position(failed.event.position.0 - 1), false);
        }
        let mut folded = folded;
        self.failed = folded.stopped.take();
        match &mut self.pending {
            // The batch was folded over what is pending, and is committed together with it.
            Some(pending) => {
                Arc::make_mut(&mut pending.writes).merge(folded.writes);
                pending.handled.merge(folded.handled);
                pending.set_aside.extend(folded.set_aside);
                pending.batches = pending.batches.and(batches);
                (pending.to, pending.at_head) = (to, at_head);
            }
            none => {
                let Folded { writes, handled, set_aside, .. } = folded;
                let writes = Arc::new(writes);
                *none = Some(Pending { writes, handled, set_aside, batches, to, at_head, span });
            }
        }
    }

    /// Whether what is pending is to be committed now.
    fn is_due(&self, pending: &Pending) -> bool {
        if self.failed.is_some() || self.until.is_some_and(|until| pending.to >= until) {
            return true;
        }
        if !self.work.is_replaying() {
            let can_wait = pending.changes_nothing() && !self.swap.is_running() && self.work.was_activated();
            return !can_wait
                || *self.awaited.borrow() > self.checkpoint
                || self.commit_began.elapsed() >= PASSED_OVER_FOR;
        }
        pending.at_head
            || pending.writes.memory() >= REPLAYED_BYTES
            || self.commit_began.elapsed() >= (self.commit_began - self.began).clamp(REPLAYED_FROM, REPLAYED_FOR)
    }

    /// Starts to commit what is pending and due, unless a commit is under way.
    fn start_commit(&mut self) {
        if self.commit.is_some() || !self.pending.as_ref().is_some_and(|pending| self.is_due(pending)) {
            return;
        }
        let Some(pending) = self.pending.take() else { return };
        self.commit_began = Instant::now();
        let shared = Arc::clone(&self.work.shared);
        let (lease, tables, writes) = (self.work.lease, Arc::clone(&self.tables), Arc::clone(&pending.writes));
        let step = Step {
            from: self.checkpoint,
            to: pending.to,
            events_per_second: self.rate.per_second(pending.to.0 - self.checkpoint.0),
            batches: pending.batches,
        };
        let (replayable, max_dead_letters) = (self.work.is_replaying(), shared.settings.max_dead_letters);
        let following = Arc::clone(&self.work.following);
        let span = pending.span.within("commit", |span| span.number("to_position", pending.to.0));
        let committing = async move {
            let effect = Effect {
                writes: &pending.writes,
                handled: &pending.handled,
                taken_back: &[],
                set_aside: &pending.set_aside,
                max_dead_letters,
                retry: None,
                replayable,
                following: &following,
            };
            commit(&shared.pool, lease, &tables, &step, &effect).await?;
            Ok(pending)
        };
        let task = tokio::spawn(span.scope(committing));
        self.commit = Some(RunningCommit { writes, task });
    }

    async fn after_commit(&mut self, committed: Pending) -> Result<(), Stop> {
        self.checkpoint = committed.to;
        if self.kept.is_some() {
            self.committed.push(Arc::clone(&committed.writes));
        }
        let build = self.work.job.build.id;
        self.work.committed.send_modify(|commits| commits.committed(build, committed.to));
        self.work.measures.committed(committed.batches.events, committed.set_aside.len());
        self.work.note(Needed::Tables, None).await;
        for letter in &committed.set_aside {
            self.work.log_set_aside(letter);
        }
        if let Some(end) = self.work.job.build.stop_at {
            self.check_bytes().await?;
            if self.checkpoint >= end {
                self.finish_replay().await?;
                return Err(Stop::Finished);
            }
        } else if committed.at_head {
            if self.work.is_replaying() {
                self.finish_replay().await?;
            }
            self.swap.start(self.work);
        }
        match self.until.filter(|at| self.checkpoint >= *at) {
            Some(at) => Err(Stop::Barrier(at)),
            None => Ok(()),
        }
    }

    /// Past builds may take so many bytes. Room for one is made before it begins, when it is not known how large it becomes.
    async fn check_bytes(&self) -> Result<(), Stop> {
        let max = self.work.shared.settings.past.max_past_bytes;
        let bytes = bytes_of(&self.work.shared.pool, self.work.job.build.id).await?;
        if bytes <= max {
            return Ok(());
        }
        let message = format!(
            "its tables take {bytes} bytes, and all past builds together may take {max} (--max-past-bytes); raise the limit, or ask for an \
             earlier position"
        );
        Err(Stop::Failed(BuildError::Host { message }))
    }

    /// The end of the log, or of a past build, is reached for the first time: adds the indexes to the tables and makes the build live.
    async fn finish_replay(&mut self) -> Result<(), Stop> {
        let Work { shared, job, lease, .. } = &mut *self.work;
        let mut transaction = crate::postgres::begin(&shared.pool).await?;
        // The subscription before the tables, as all do. While this transaction has its row, the lease is not renewed.
        subscriptions::hold(&mut transaction, *lease).await?;
        transaction.execute(format!("SET LOCAL lock_timeout = '{COMMIT_LOCK_TIMEOUT}'").as_str()).await?;
        self.tables.add_indexes(&mut transaction).await?;
        let caught_up = WorkerReport::CaughtUp(self.checkpoint);
        job.build.state = report(&mut transaction, *lease, &caught_up).await?;
        subscriptions::prolong(&mut transaction, *lease).await?;
        let age = age(&mut transaction, job.build.id).await?;
        transaction.commit().await?;
        metrics::of_host().projector.replayed(Duration::try_from_secs_f64(age).unwrap_or_default());
        info!(build = %job.build.name(), projection = %job.build.projection, version = %job.build.version,
            checkpoint = %self.checkpoint, "the build has caught up");
        Ok(())
    }
}

impl Drop for Pipeline<'_> {
    fn drop(&mut self) {
        // The commit may still go through; the next run begins at the checkpoint that it finds.
        if let Some(commit) = &self.commit {
            commit.task.abort();
        }
    }
}

/// Waits for a task, or for ever if there is none.
async fn wait<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}
