//! Work on a reactor from a checkpoint on: read, fold, commit, and again.
//!
//! While a step is being committed, the module handles the next batch over what that step changed, and the log is read ahead of both.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};

use super::{
    commit::{Outcome, commit},
    due::{NextDue, append_due},
    effects::Carried,
    folder::ReactorFolder,
    stop::Stop,
    traces::batch_span,
    work::Work,
};
use crate::{
    event_log::{Filter, Position},
    folding::{
        BatchFolder as _, FailedEvent, FailureHandling, FoldClock, FoldSize, Folded, KeptRows, ModuleRunner, Rate,
    },
    read_model::{TableSet, WriteSet},
    runtime::BatchError,
    subscriptions::{Batch, Batches, FIRST_PIECE, Step, StopError, Wanted, follow},
    telemetry::Span,
};

/// For how long the checkpoint may stay before events that mean nothing to the reactor.
const PASSED_OVER_FOR: Duration = Duration::from_millis(500);

/// A step that is folded and not committed yet.
struct Pending {
    writes: Arc<WriteSet>,
    outcome: Outcome,
    batches: Batches,
    to: Position,
    /// The span of its batch, which ends when it is committed.
    span: Span,
}

/// The result of folding a batch, and the range of the log that it covers.
struct FoldedBatch {
    folded: Folded<Carried>,
    batches: Batches,
    to: Position,
    took: Duration,
    span: Span,
}

/// A runner that is ready for the next batch, and what it does at events that the module cannot handle.
struct IdleRunner {
    runner: ModuleRunner<ReactorFolder>,
    handling: FailureHandling,
}

/// The module's runner is either idle, or in the task that folds a batch.
enum Fold {
    Idle(Box<IdleRunner>),
    Running(JoinHandle<Result<(Box<IdleRunner>, FoldedBatch), BatchError>>),
}

/// What a commit has done.
struct Committed {
    events: u64,
    set_aside: usize,
    /// Whether schedules were changed.
    schedules: bool,
}

/// A commit under way.
struct RunningCommit {
    /// What it writes; batches are folded over this meanwhile.
    writes: Arc<WriteSet>,
    /// Where the checkpoint is then.
    to: Position,
    task: JoinHandle<Result<Committed, Stop>>,
}

impl Drop for RunningCommit {
    fn drop(&mut self) {
        // It may still go through; the next run begins at the checkpoint that it finds.
        self.task.abort();
    }
}

/// Work from a checkpoint on, until something stops it.
pub(super) struct Pipeline {
    work: Arc<Work>,
    tables: Arc<TableSet>,
    kept: Arc<Mutex<KeptRows>>,
    pending: Option<Pending>,
    commit: Option<RunningCommit>,
    /// What was committed since the last batch was folded.
    committed: Vec<Arc<WriteSet>>,
    next_due: NextDue,
    /// An event that the module cannot handle. The events before it are committed before the reactor halts.
    failed: Option<FailedEvent>,
    fold_size: FoldSize,
    checkpoint: Position,
    rate: Rate,
}

impl Pipeline {
    pub(super) async fn new(work: Arc<Work>, tables: Arc<TableSet>, checkpoint: Position) -> Result<Self, Stop> {
        // A reactor may have begun with no rows, and its version with some.
        let kept = Arc::new(Mutex::new(KeptRows::new(&tables, false, work.shared.rows.clone())));
        let (next_due, fold_size) = (NextDue::look(&work).await?, FoldSize::new(work.shared.settings.batch));
        let (pending, commit, committed, failed, rate) = (None, None, Vec::new(), None, Rate::new());
        Ok(Self { work, tables, kept, pending, commit, committed, next_due, failed, fold_size, checkpoint, rate })
    }

    /// Handles the events that match the filter, until something stops it.
    pub(super) async fn run(
        mut self,
        filter: Filter,
        mut runner: ModuleRunner<ReactorFolder>,
        handling: FailureHandling,
    ) -> Result<Infallible, Stop> {
        runner.keep_rows(Arc::clone(&self.kept));
        let memory = runner.folder().memory().clone();
        let nobody_waits = watch::Sender::new(Position::default());
        let wanted = Wanted {
            after: self.checkpoint,
            until: None,
            filter,
            size: self.work.shared.settings.batch,
            first: FIRST_PIECE,
            passed_over_for: PASSED_OVER_FOR,
            awaited: nobody_waits.subscribe(),
        };
        let mut feed = follow(self.work.shared.log.clone(), wanted, None);
        feed.pass_over(true);
        let stop = self.work.stop.clone();
        let mut fold = Fold::Idle(Box::new(IdleRunner { runner, handling }));
        loop {
            if self.commit.is_none() {
                if stop.is_cancelled() {
                    return Err(Stop::Asked);
                }
                // First: while there is always a next step, its turn would not come.
                if self.next_due.is_now() {
                    append_due(&self.work).await?;
                    self.next_due = NextDue::look(&self.work).await?;
                }
                if let Some(pending) = self.pending.take() {
                    self.start_commit(pending);
                } else if let Some(FailedEvent { event, failure }) = self.failed.take() {
                    let (stream, event_type) = (event.stream.into(), event.event_type.into());
                    return Err(Stop::Halted(StopError::Module { failure, stream, event_type }));
                }
            }
            let is_free = self.commit.is_none();
            let takes_batches = self.failed.is_none() && self.pending.is_none();
            let committed = wait(self.commit.as_mut().map(|commit| &mut commit.task));
            fold = match fold {
                Fold::Idle(mut idle) => tokio::select! {
                    batch = feed.next(self.fold_size.now()), if takes_batches => {
                        let batch = batch.ok_or_else(|| Stop::Interrupted("the log is closed".to_owned()))??;
                        self.start_fold(idle, batch)
                    }
                    committed = committed => {
                        self.after_commit(committed??).await?;
                        Fold::Idle(idle)
                    }
                    () = self.next_due.come(), if is_free => Fold::Idle(idle),
                    () = stop.cancelled(), if is_free => return Err(Stop::Asked),
                    // What the module would only have again at the next batch.
                    () = memory.until_short(), if idle.runner.keeps_memory() => {
                        idle.runner.free_memory();
                        Fold::Idle(idle)
                    }
                },
                Fold::Running(mut task) => tokio::select! {
                    folded = &mut task => {
                        let (idle, batch) = folded??;
                        self.after_fold(batch);
                        Fold::Idle(idle)
                    }
                    committed = committed => {
                        self.after_commit(committed??).await?;
                        Fold::Running(task)
                    }
                    () = self.next_due.come(), if is_free => Fold::Running(task),
                    () = stop.cancelled(), if is_free => return Err(Stop::Asked),
                },
            };
        }
    }

    fn start_fold(&mut self, mut idle: Box<IdleRunner>, batch: Batch) -> Fold {
        #[cfg(test)]
        crate::folding::FaultPoint::WorkerTask.pass(batch.events.iter());
        let layers: Vec<Arc<WriteSet>> = self.commit.iter().map(|commit| Arc::clone(&commit.writes)).collect();
        let (kept, committed) = (Arc::clone(&self.kept), std::mem::take(&mut self.committed));
        let span = batch_span(&self.work.job.reactor, &batch.events);
        Fold::Running(self.work.shared.folding.run(move || {
            {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                committed.into_iter().for_each(|writes| kept.absorb(writes, true));
            }
            let batches = Batches::one(batch.events.len());
            let Batch { events, to, .. } = batch;
            let began = FoldClock::start();
            let folding = span.within("fold", |_| {});
            let entered = folding.clone().enter();
            let folded = idle.runner.fold(events.iter().collect(), &layers, &mut idle.handling)?;
            drop(entered);
            if let Some(stopped) = &folded.stopped {
                folding.failed(&stopped.failure);
            }
            drop(folding);
            Ok((idle, FoldedBatch { folded, batches, to, took: began.took(), span }))
        }))
    }

    fn after_fold(&mut self, batch: FoldedBatch) {
        let FoldedBatch { folded, batches, mut to, took, span } = batch;
        let Folded { writes, answers, handled, set_aside, stopped } = folded;
        self.fold_size.folded(batches.events, took, writes.bytes());
        if let Some(failed) = &stopped {
            to = Position(failed.event.position.0 - 1);
        }
        self.failed = stopped;
        let outcome = Outcome { handled, carried: answers, set_aside, ..Outcome::default() };
        // Nothing may come before the event that the module cannot handle.
        if to > self.folded_to() {
            self.pending = Some(Pending { writes: Arc::new(writes), outcome, batches, to, span });
        }
    }

    /// The position up to which all is folded.
    fn folded_to(&self) -> Position {
        self.commit.as_ref().map_or(self.checkpoint, |commit| commit.to)
    }

    /// Starts to commit a step; none is under way.
    fn start_commit(&mut self, pending: Pending) {
        let Pending { writes, outcome, batches, to, span } = pending;
        let passed = to.0 - self.checkpoint.0;
        let step = Step { from: self.checkpoint, to, events_per_second: self.rate.per_second(passed), batches };
        let (work, tables, its_writes) = (Arc::clone(&self.work), Arc::clone(&self.tables), Arc::clone(&writes));
        let committing = span.within("commit", |span| span.number("to_position", to.0));
        let committed = committing.scope(async move {
            let (events, set_aside) = (batches.events, outcome.set_aside.clone());
            let schedules = commit(&work, &tables, &step, &its_writes, outcome).await?;
            work.log_set_aside(&set_aside);
            Ok(Committed { events, set_aside: set_aside.len(), schedules })
        });
        let task = tokio::spawn(async move {
            // The batch ends after its commit.
            let _batch = span;
            committed.await
        });
        self.commit = Some(RunningCommit { writes, to, task });
    }

    async fn after_commit(&mut self, committed: Committed) -> Result<(), Stop> {
        let Some(commit) = self.commit.take() else { return Ok(()) };
        self.checkpoint = commit.to;
        self.committed.push(Arc::clone(&commit.writes));
        let Committed { events, set_aside, schedules } = committed;
        self.work.measures.committed(events, set_aside);
        if schedules {
            self.next_due = NextDue::look(&self.work).await?;
        }
        Ok(())
    }
}

/// Waits for a task, or for ever if there is none.
async fn wait<T>(task: Option<&mut JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}
