//! Trying dead letters again.

use std::{collections::HashSet, sync::Arc};

use tracing::info;

use super::{
    commit::{Effect, commit},
    runner::ModuleRunner,
    stop::Stop,
    work::Work,
};
use crate::{
    event_log::{Filter, Position},
    folding::FailureHandling,
    read_model::TableSet,
    runtime::{BatchError, Delivery},
    subscriptions::{self, Batches, OnFailure, Redelivery, RetryProgress, Retrying, Step},
};

/// Dead letters that are tried again in one step.
const BATCH: usize = 500;

/// What a projection's rows depend on.
pub(super) struct ProjectionInput {
    /// The events that are read from the log for it.
    pub(super) filter: Filter,
    /// Whether each of its rows depends on one stream only, so that the order between streams makes no difference.
    pub(super) by_stream: bool,
}

impl Work {
    /// Folds the dead letters behind `after`, by position, over the rows as they are now. Those that fail again, and later ones of
    /// a parked stream, stay set aside.
    pub(super) async fn redeliver(
        &mut self,
        mut runner: ModuleRunner,
        tables: &Arc<TableSet>,
        checkpoint: Position,
        Retrying { redelivery, mut after }: Retrying,
        input: &ProjectionInput,
    ) -> Result<ModuleRunner, Stop> {
        let (pool, subscription) = (&self.shared.pool.clone(), self.lease.subscription);
        let overtaken = subscriptions::overtaken(&mut *pool.acquire().await?, subscription, &input.filter).await?;
        let overtaken: HashSet<String> = overtaken.into_iter().map(|(stream, _)| stream).collect();
        let (mut tried, mut left) = (0, 0);
        // A dead letter that fails again does not halt the build; it is parked instead, so that no event of its stream overtakes it.
        let on_failure = match self.job.on_failure {
            OnFailure::Halt | OnFailure::Park => OnFailure::Park,
            OnFailure::Skip => OnFailure::Skip,
        };
        let parked_streams = subscriptions::parked_streams(pool, subscription, after).await?;
        let mut handling = FailureHandling { on_failure, parked_streams };
        let mut done = false;
        while !done {
            let letters = subscriptions::dead_letters_after(pool, subscription, after, BATCH).await?;
            done = letters.len() < BATCH;
            after = letters.last().map_or(after, |(last, _)| *last);
            let tries = |stream: &str| redelivery == Redelivery::All || !overtaken.contains(stream);
            let letters: Vec<_> = letters.into_iter().filter(|(_, stream)| tries(stream)).collect();
            let positions: Vec<Position> = letters.iter().map(|(position, _)| *position).collect();
            let events = self.shared.log.read_at(&positions).await?;
            let events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
            let task = self.shared.folding.run(move || {
                let folded = runner.fold(events.iter().collect(), &[], &mut handling)?;
                Ok::<_, BatchError>((runner, handling, folded))
            });
            let folded;
            (runner, handling, folded) = task.await??;
            let failed: HashSet<Position> = folded.set_aside.iter().map(|letter| letter.position).collect();
            let out_of_order = letters.iter().filter(|(position, stream)| {
                !failed.contains(position) && (!input.by_stream || overtaken.contains(stream))
            });
            let retry = RetryProgress { to: after, done, out_of_order: out_of_order.count() as u64 };
            let step = Step { from: checkpoint, to: checkpoint, events_per_second: 0.0, batches: Batches::default() };
            let effect = Effect {
                writes: &folded.writes,
                handled: &folded.handled,
                taken_back: &positions,
                set_aside: &folded.set_aside,
                max_dead_letters: self.shared.settings.max_dead_letters,
                retry: Some(retry),
                replayable: false,
                following: &self.following,
            };
            commit(pool, self.lease, tables, &step, &effect).await?;
            // A run after an interruption goes on from here.
            self.job.retrying = (!done).then_some(Retrying { redelivery, after });
            folded.set_aside.iter().for_each(|letter| self.log_set_aside(letter));
            tried += positions.len();
            left += folded.set_aside.len();
        }
        if tried > 0 {
            info!(build = %self.job.build.name(), projection = %self.job.build.projection, tried, left, "dead letters were tried again");
        }
        Ok(runner)
    }
}
