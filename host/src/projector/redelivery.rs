//! Trying again what failed.

use std::{collections::HashSet, sync::Arc};

use tracing::info;

use super::{
    commit::{Effect, commit},
    fold::BatchFolder,
    work::{Work, WorkError},
};
use crate::{
    event_log::{NameFilter, Position},
    read_model::TableSet,
    runtime::Delivery,
    subscriptions::{self, Batches, OnFailure, Redelivery, RetryProgress, Retrying, Step},
};

/// Dead letters that are tried again at once.
const BATCH: usize = 500;

/// What the order of events means to a projection.
pub(super) struct Order {
    /// The types of events that it is given.
    pub(super) types: NameFilter,
    /// Whether each of its rows depends on one stream only, so that order between streams means nothing.
    pub(super) by_stream: bool,
}

impl Work {
    /// Folds the events that were set aside, in their order, over the rows as they are, those behind `after`. Those that still
    /// fail, and later ones of a parked stream, stay set aside.
    pub(super) async fn redeliver(
        &mut self,
        mut folder: BatchFolder,
        tables: &Arc<TableSet>,
        checkpoint: Position,
        Retrying { redelivery, mut after }: Retrying,
        order: &Order,
    ) -> Result<BatchFolder, WorkError> {
        let (pool, subscription) = (&self.shared.pool.clone(), self.lease.subscription);
        let overtaken = subscriptions::overtaken(&mut *pool.acquire().await?, subscription, &order.types).await?;
        let overtaken: HashSet<String> = overtaken.into_iter().map(|(stream, _)| stream).collect();
        let (mut tried, mut left) = (0, 0);
        // What was set aside once is not halted at; but nothing of its stream overtakes it.
        let on_failure = self.job.on_failure;
        folder.on_failure(if on_failure == OnFailure::Halt { OnFailure::Park } else { on_failure });
        folder.park(subscriptions::parked_streams(pool, subscription, after).await?);
        let mut done = false;
        while !done {
            let letters = subscriptions::letters(pool, subscription, after, BATCH).await?;
            done = letters.len() < BATCH;
            after = letters.last().map_or(after, |(last, _)| *last);
            let tries = |stream: &str| redelivery == Redelivery::All || !overtaken.contains(stream);
            let letters: Vec<_> = letters.into_iter().filter(|(_, stream)| tries(stream)).collect();
            let positions: Vec<Position> = letters.iter().map(|(position, _)| *position).collect();
            let events = self.shared.log.read_at(&positions).await?;
            let events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
            let (back, folded) = tokio::task::spawn_blocking(move || {
                let folded = folder.fold(events, &[]);
                (folder, folded)
            })
            .await
            .map_err(|_| WorkError::Lost)?;
            folder = back;
            let folded = folded.map_err(WorkError::Host)?;
            let failed: HashSet<Position> = folded.set_aside.iter().map(|letter| letter.position).collect();
            let out_of_order = letters.iter().filter(|(position, stream)| {
                !failed.contains(position) && (!order.by_stream || overtaken.contains(stream))
            });
            let retry = RetryProgress { to: after, done, out_of_order: out_of_order.count() as u64 };
            let step = Step { from: checkpoint, to: checkpoint, events_per_second: 0.0, batches: Batches::default() };
            let effect = Effect {
                writes: &folded.writes,
                taken_back: &positions,
                set_aside: &folded.set_aside,
                max_dead_letters: self.shared.settings.max_dead_letters,
                retry: Some(retry),
                replayable: false,
            };
            commit(pool, self.lease, tables, &step, &effect).await?;
            // Where it is tried again after a failure of Postgres, it goes on from here.
            self.job.retrying = (!done).then_some(Retrying { redelivery, after });
            folded.set_aside.iter().for_each(|letter| self.log_set_aside(letter));
            tried += positions.len();
            left += folded.set_aside.len();
        }
        folder.on_failure(on_failure);
        if tried > 0 {
            info!(build = %self.job.build.id, projection = %self.job.build.projection, tried, left, "events that were set aside were tried again");
        }
        Ok(folder)
    }
}
