//! Working on one build, run after run, until something stops it that is not transient.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tracing::{debug, error, info, warn};

use super::{
    pipeline::Pipeline,
    redelivery::ProjectionInput,
    runner::{RunnerOptions, module_runner},
    stop::Stop,
    work::Work,
};
use crate::{
    builds::{self, BuildError, WorkerReport},
    event_log::Position,
    folding::FailureHandling,
    metrics,
    postgres::Backoff,
    read_model::TableSet,
    runtime::{Partition, widen_to_sources},
    subscriptions,
};

/// How often a worker at a barrier checks whether it is lifted.
const BARRIER_POLL: Duration = Duration::from_millis(10);
/// The pauses between runs.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// A run that lasted longer than this is followed by the first pause again.
const LONG_RUN: Duration = Duration::from_secs(30);
/// Panics in a row, without a move of the checkpoint, after which the build fails.
const MAX_PANICS: u32 = 5;

/// Works on a build until it is asked to stop, the lease is lost, or the build halts or fails.
pub(super) struct Worker {
    work: Work,
    /// A barrier at which the next run ends.
    barrier: Option<Position>,
    panics: PanicCount,
}

/// The panics since the checkpoint moved last.
#[derive(Debug, Default, PartialEq, Eq)]
struct PanicCount {
    checkpoint: Position,
    panics: u32,
}

impl PanicCount {
    /// Notes the checkpoint at which a run begins.
    fn begin_run(&mut self, checkpoint: Position) {
        if checkpoint > self.checkpoint {
            *self = Self { checkpoint, panics: 0 };
        }
    }

    /// Counts a panic. Returns whether there are too many.
    fn add(&mut self) -> bool {
        self.panics += 1;
        self.panics >= MAX_PANICS
    }
}

/// When the next run begins.
enum NextRun {
    AtOnce,
    AfterPause,
    Never,
}

impl Worker {
    pub(super) fn new(work: Work) -> Self {
        Self { work, barrier: None, panics: PanicCount::default() }
    }

    /// Works until something stops it that is not transient, and gives the lease back.
    pub(super) async fn run(mut self) {
        let mut pauses = PAUSES;
        loop {
            let began = Instant::now();
            let stop = self.run_once().await;
            match self.after_run(stop).await {
                NextRun::Never => break,
                NextRun::AtOnce => continue,
                NextRun::AfterPause => {}
            }
            if began.elapsed() > LONG_RUN {
                pauses.reset();
            }
            tokio::select! {
                () = self.work.stop.cancelled() => break,
                () = tokio::time::sleep(pauses.next_pause()) => {}
            }
        }
        // Does nothing if the lease is lost.
        if let Err(error) = subscriptions::release(&self.work.shared.pool, self.work.lease).await {
            let build = &self.work.job.build;
            warn!(build = %build.name(), projection = %build.projection, %error, "cannot give the lease back; it expires");
        }
        // The build may have been changed so that there is work on it again.
        self.work.shared.look_again.notify_one();
    }

    /// Makes one run, and returns how it ends; a panic is an end as well.
    async fn run_once(&mut self) -> Stop {
        match AssertUnwindSafe(self.fold_the_log()).catch_unwind().await {
            Ok(Err(stop)) => stop,
            Err(payload) => Stop::panicked(&*payload),
        }
    }

    /// Logs the end of a run, stores it if the build halts or fails, and decides on the next run.
    async fn after_run(&mut self, stop: Stop) -> NextRun {
        let (build, projection) = (self.work.job.build.name(), self.work.job.build.projection.clone());
        metrics::of_host().projector.stopped(stop.reason());
        let report = match stop {
            Stop::Asked | Stop::Finished => return NextRun::Never,
            Stop::LeaseLost => {
                info!(%build, %projection, "the lease of the build was taken away");
                return NextRun::Never;
            }
            // What was folded beyond the barrier is dropped.
            Stop::Barrier(at) => {
                self.barrier = Some(at);
                return NextRun::AtOnce;
            }
            Stop::Interrupted(reason) => {
                warn!(%build, %projection, error = reason, "work on the build is interrupted, trying again");
                return NextRun::AfterPause;
            }
            Stop::Locked(reason) => {
                debug!(%build, %projection, error = reason, "work on the build is interrupted, trying again");
                self.work.note_locked_tables().await;
                return NextRun::AfterPause;
            }
            Stop::Panicked(message) => {
                let is_last = self.panics.add();
                let (panics, checkpoint) = (self.panics.panics, self.panics.checkpoint);
                error!(%build, %projection, %checkpoint, panics, panic = message, "work on the build panicked");
                if !is_last {
                    return NextRun::AfterPause;
                }
                let message =
                    format!("the host panicked {panics} times in a row behind position {checkpoint}: {message}");
                WorkerReport::Failed(BuildError::Host { message })
            }
            Stop::Halted(error) => WorkerReport::Halted(error),
            Stop::Failed(error) => WorkerReport::Failed(error),
        };
        if let WorkerReport::Halted(error) | WorkerReport::Failed(error) = &report {
            let version = self.work.job.build.version;
            error!(%build, %projection, %version, %error, "the build stops");
        }
        match self.work.report(&report).await {
            Ok(()) => {
                if self.work.is_replaying() {
                    metrics::of_host().projector.replay_failed();
                }
                NextRun::Never
            }
            Err(stop) => {
                warn!(%build, %projection, ?stop, "cannot store that the build stops, trying again");
                NextRun::AfterPause
            }
        }
    }

    /// One run: folds the log from the checkpoint on, until something stops it.
    async fn fold_the_log(&mut self) -> Result<Infallible, Stop> {
        let checkpoint = subscriptions::checkpoint(&self.work.shared.pool, self.work.lease).await?;
        self.panics.begin_run(checkpoint);
        let mut until = self.barrier.take();
        if let Some(at) = until.take_if(|at| *at <= checkpoint) {
            self.wait_for_barrier(at).await?;
        }
        let build = &self.work.job.build;
        let module = self.work.shared.modules.load_projection(&build.projection, build.version).await?;
        let tables = Arc::new(TableSet::new(build.id.schema(), module.tables()));
        if let Some(table) = tables.missing(&self.work.shared.pool).await? {
            return Err(Stop::Failed(BuildError::missing_table(&table, "rebuild the projection")));
        }
        let mut filter = module.descriptor().filter();
        let (fresh_memory, makes_indexes) = (build.verifies.is_some(), self.work.is_replaying());
        let mut options = RunnerOptions { upcasters: None, fresh_memory, makes_indexes };
        if !build.upcasters.is_empty() {
            let chain = self.work.shared.modules.load_chain(&builds::names_of(&build.upcasters)).await?;
            widen_to_sources(&mut filter, chain.steps());
            options.upcasters = Some(chain);
        }
        let by_stream = module.descriptor().partitioned_by == Some(Partition::Stream);
        let mut runner = module_runner(self.work.shared.pool.clone(), Arc::clone(&tables), module, options);
        if let Some(retrying) = self.work.job.retrying {
            let input = ProjectionInput { filter: filter.clone(), by_stream };
            runner = self.work.redeliver(runner, &tables, checkpoint, retrying, &input).await?;
        }
        let (pool, subscription) = (&self.work.shared.pool, self.work.lease.subscription);
        let parked_streams = subscriptions::parked_streams(pool, subscription, checkpoint).await?;
        let handling = FailureHandling { on_failure: self.work.job.on_failure, parked_streams };
        Pipeline::new(&mut self.work, tables, checkpoint, until).run(filter, runner, handling).await
    }

    /// Waits until the barrier is lifted or expires, or until the worker is asked to stop.
    async fn wait_for_barrier(&self, at: Position) -> Result<(), sqlx::Error> {
        while subscriptions::has_barrier(&self.work.shared.pool, self.work.lease.subscription, at).await? {
            tokio::select! {
                () = self.work.stop.cancelled() => break,
                () = tokio::time::sleep(BARRIER_POLL) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_count_while_the_checkpoint_does_not_move() {
        let mut count = PanicCount::default();
        for checkpoint in [0, 0, 0, 0, 7, 7, 7, 7] {
            count.begin_run(Position(checkpoint));
            assert!(!count.add(), "{count:?}");
        }
        // A run that panics before it has read the checkpoint counts as well.
        assert!(count.add(), "{count:?}");
    }
}
