//! Working on one reactor, run after run, until something stops it that is not transient.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use tracing::{error, info, warn};

use super::{
    effects::Carrier, folder::ReactorFolder, pipeline::Pipeline, redelivery::redeliver, stop::Stop, work::Work,
};
use crate::{
    event_log::Position,
    folding::{FailureHandling, ModuleRunner},
    metrics,
    postgres::Backoff,
    reactors::Report,
    read_model::TableSet,
    runtime::widen_to_sources,
    subscriptions::{self, StopError},
};

/// The pauses between runs.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
/// A run that lasted longer than this is followed by the first pause again.
const LONG_RUN: Duration = Duration::from_secs(30);
/// Panics in a row, without a move of the checkpoint, after which the reactor fails.
const MAX_PANICS: u32 = 5;

/// Works on a reactor until it is asked to stop, the lease is lost, or the reactor halts or fails.
pub(super) struct Worker {
    work: Work,
    /// The checkpoint at which the last run began, and the panics since then.
    panics: (Position, u32),
}

/// When the next run begins.
enum NextRun {
    AfterPause,
    Never,
}

impl Worker {
    pub(super) fn new(work: Work) -> Self {
        Self { work, panics: (Position::default(), 0) }
    }

    /// Asks it to stop.
    #[cfg(test)]
    pub(super) fn stop(&self) -> tokio_util::sync::CancellationToken {
        self.work.stop.clone()
    }

    /// Works until something stops it that is not transient, and gives the lease back.
    pub(super) async fn run(mut self) {
        let mut pauses = PAUSES;
        loop {
            let began = Instant::now();
            let stop = self.run_once().await;
            if let NextRun::Never = self.after_run(stop).await {
                break;
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
            warn!(reactor = %self.work.job.reactor.name, %error, "cannot give the lease back; it expires");
        }
        // The reactor may have been changed so that there is work on it again.
        self.work.shared.look_again.notify_one();
    }

    /// Makes one run, and returns how it ends; a panic is an end as well.
    async fn run_once(&mut self) -> Stop {
        match AssertUnwindSafe(self.handle_the_log()).catch_unwind().await {
            Ok(Err(stop)) => stop,
            Err(payload) => Stop::panicked(&*payload),
        }
    }

    /// Logs the end of a run, stores it if the reactor halts or fails, and decides on the next run.
    async fn after_run(&mut self, stop: Stop) -> NextRun {
        let reactor = self.work.job.reactor.name.clone();
        metrics::of_host().reactors.stopped(stop.reason());
        let report = match stop {
            Stop::Asked => return NextRun::Never,
            Stop::LeaseLost => {
                info!(%reactor, "the lease of the reactor was taken away");
                return NextRun::Never;
            }
            Stop::Interrupted(reason) => {
                warn!(%reactor, error = reason, "work on the reactor is interrupted, trying again");
                return NextRun::AfterPause;
            }
            Stop::Panicked(message) => {
                self.panics.1 += 1;
                let (checkpoint, panics) = self.panics;
                error!(%reactor, %checkpoint, panics, panic = message, "work on the reactor panicked");
                if panics < MAX_PANICS {
                    return NextRun::AfterPause;
                }
                let message =
                    format!("the host panicked {panics} times in a row behind position {checkpoint}: {message}");
                Report::Failed(StopError::Host { message })
            }
            Stop::Halted(error) => Report::Halted(error),
            Stop::Failed(error) => Report::Failed(error),
        };
        let (Report::Halted(why) | Report::Failed(why)) = &report;
        error!(%reactor, version = %self.work.job.reactor.version, error = %why, "the reactor stops");
        match self.work.report(&report).await {
            Ok(()) => NextRun::Never,
            Err(Stop::LeaseLost) => NextRun::Never,
            Err(stop) => {
                warn!(%reactor, ?stop, "cannot store that the reactor stops, trying again");
                NextRun::AfterPause
            }
        }
    }

    /// One run: handles the log from the checkpoint on, until something stops it.
    async fn handle_the_log(&mut self) -> Result<Infallible, Stop> {
        let work = &mut self.work;
        let checkpoint = subscriptions::checkpoint(&work.shared.pool, work.lease).await?;
        if checkpoint > self.panics.0 {
            self.panics = (checkpoint, 0);
        }
        let reactor = work.job.reactor.clone();
        let module = work.shared.modules.load_reactor(&reactor.name, reactor.version).await?;
        let tables = Arc::new(TableSet::new(reactor.id.schema(), module.tables()));
        if let Some(table) = tables.missing(&work.shared.pool).await? {
            let way_out = "delete the reactor, and deploy it again";
            return Err(Stop::Failed(StopError::missing_table(&table, way_out)));
        }
        let mut filter = module.descriptor().filter(&reactor.name);
        let mut upcasters = None;
        if !reactor.upcasters.is_empty() {
            let chain = work.shared.modules.load_chain(&reactor.upcasters).await?;
            widen_to_sources(&mut filter, chain.steps());
            upcasters = Some(chain);
        }
        let measures = metrics::of_host().reactors.handler(reactor.name.as_str());
        let carrier = Carrier::new(reactor, work.shared.log.clone());
        let folder = ReactorFolder::new(module, carrier);
        let mut runner = ModuleRunner::new(work.shared.pool.clone(), Arc::clone(&tables), folder, upcasters, measures);
        if let Some(retrying) = work.job.retrying {
            runner = redeliver(work, runner, &tables, checkpoint, retrying, &filter).await?;
        }
        let (pool, subscription) = (&work.shared.pool, work.lease.subscription);
        let parked_streams = subscriptions::parked_streams(pool, subscription, checkpoint).await?;
        let handling = FailureHandling { on_failure: work.job.on_failure, parked_streams };
        let pipeline = Pipeline::new(Arc::new(work.clone()), tables, checkpoint).await?;
        pipeline.run(filter, runner, handling).await
    }
}
