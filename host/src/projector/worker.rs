//! Working on one build until there is an end, whatever passes by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{error, info, warn};

use super::{
    fold::BatchFolder,
    pipeline::Pipeline,
    redelivery::Order,
    work::{End, Work, WorkError},
};
use crate::{
    builds::{self, BuildError, Event},
    event_log::Position,
    read_model::TableSet,
    runtime::Partition,
    subscriptions,
};

/// How often a build that is kept by a barrier looks whether it is lifted.
const BARRIER_POLL: Duration = Duration::from_millis(10);

/// Works on a build until it is told to stop, the lease is lost, or the build itself stops.
pub(super) struct Worker {
    work: Work,
    /// Where a barrier keeps the build.
    barrier: Option<Position>,
}

impl Worker {
    pub(super) fn new(work: Work) -> Self {
        Self { work, barrier: None }
    }

    /// Works until there is an end, trying again for as long as it takes what passes by itself.
    pub(super) async fn run(mut self) {
        let (build, projection) = (self.work.job.build.id, self.work.job.build.projection.clone());
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
                () = self.work.stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        // Giving back what is not held any more changes nothing.
        if let Err(error) = subscriptions::release(&self.work.shared.pool, self.work.lease).await {
            warn!(%build, %projection, %error, "cannot give the lease back; it ends by itself");
        }
        // What was changed meanwhile may be to do.
        self.work.shared.look_again.notify_one();
    }

    /// Works from the checkpoint on.
    async fn attempt(&mut self) -> Result<End, WorkError> {
        let Some(checkpoint) = subscriptions::checkpoint(&self.work.shared.pool, self.work.lease).await? else {
            return Ok(End::Fenced);
        };
        let mut until = self.barrier.take();
        if let Some(at) = until.take_if(|at| *at <= checkpoint) {
            self.wait_for_barrier(at).await?;
        }
        let build = &self.work.job.build;
        let module = self.work.shared.modules.load_projection(&build.projection, build.version).await?;
        let tables = Arc::new(TableSet::new(build.id.schema(), module.tables()));
        let on_failure = self.work.job.on_failure;
        let mut folder =
            BatchFolder::new(self.work.shared.pool.clone(), Arc::clone(&tables), module.clone(), on_failure);
        if build.verifies.is_some() {
            folder.forget();
        }
        let mut filter = module.descriptor().filter();
        if !build.upcasters.is_empty() {
            let chain = self.work.shared.modules.load_chain(&builds::names_of(&build.upcasters)).await?;
            filter.types.widen(chain.event_types());
            folder.upcast_by(chain);
        }
        if let Some(retrying) = self.work.job.retrying {
            let by_stream = module.descriptor().partitioned_by == Some(Partition::Stream);
            let order = Order { types: filter.types.clone(), by_stream };
            folder = self.work.redeliver(folder, &tables, checkpoint, retrying, &order).await?;
        }
        folder.park(
            subscriptions::parked_streams(&self.work.shared.pool, self.work.lease.subscription, checkpoint).await?,
        );
        Pipeline::new(&mut self.work, filter, folder, tables, checkpoint, until).run().await
    }

    /// Waits until the barrier that keeps the build is lifted, or until it is told to stop.
    async fn wait_for_barrier(&self, at: Position) -> Result<(), sqlx::Error> {
        while subscriptions::barrier_stands(&self.work.shared.pool, self.work.lease.subscription, at).await? {
            tokio::select! {
                () = self.work.stop.cancelled() => break,
                () = tokio::time::sleep(BARRIER_POLL) => {}
            }
        }
        Ok(())
    }

    /// Stops the build for a reason that does not pass.
    async fn stop_for_good(&self, error: WorkError) -> Result<(), WorkError> {
        let build = &self.work.job.build;
        error!(build = %build.id, projection = %build.projection, %error, "the build stopped");
        match error {
            WorkError::TooManyDeadLetters { found, max } => {
                self.work.tell(Event::Halted, Some(&BuildError::TooManyDeadLetters { found, max })).await
            }
            error => self.work.tell(Event::Failed, Some(&BuildError::Host { message: error.to_string() })).await,
        }
    }
}
