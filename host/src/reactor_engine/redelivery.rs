//! Trying dead letters again.

use std::{collections::HashSet, sync::Arc};

use tracing::info;

use super::{
    commit::{Outcome, commit},
    folder::ReactorFolder,
    stop::Stop,
    work::Work,
};
use crate::{
    event_log::{Filter, Position},
    folding::{FailureHandling, ModuleRunner},
    read_model::TableSet,
    runtime::{BatchError, Delivery},
    subscriptions::{self, Batches, OnFailure, Redelivery, RetryProgress, Retrying, Step},
};

/// Dead letters that are tried again in one step.
const BATCH: usize = 500;

/// Handles the dead letters behind `after`, by position, over the rows as they are now. Those that fail again, and later ones of a parked stream, stay
/// set aside.
pub(super) async fn redeliver(
    work: &mut Work,
    mut runner: ModuleRunner<ReactorFolder>,
    tables: &Arc<TableSet>,
    checkpoint: Position,
    Retrying { redelivery, mut after }: Retrying,
    filter: &Filter,
) -> Result<ModuleRunner<ReactorFolder>, Stop> {
    let (pool, subscription) = (work.shared.pool.clone(), work.lease.subscription);
    let overtaken = subscriptions::overtaken(&mut *pool.acquire().await?, subscription, filter).await?;
    let overtaken: HashSet<String> = overtaken.into_iter().map(|(stream, _)| stream).collect();
    let (mut tried, mut left) = (0, 0);
    // A dead letter that fails again does not halt the reactor; it is parked instead, so that no event of its stream overtakes it.
    let on_failure = match work.job.on_failure {
        OnFailure::Halt | OnFailure::Park => OnFailure::Park,
        OnFailure::Skip => OnFailure::Skip,
    };
    let parked_streams = subscriptions::parked_streams(&pool, subscription, after).await?;
    let mut handling = FailureHandling { on_failure, parked_streams };
    let mut done = false;
    while !done {
        let letters = subscriptions::dead_letters_after(&pool, subscription, after, BATCH).await?;
        done = letters.len() < BATCH;
        after = letters.last().map_or(after, |(last, _)| *last);
        let tries = |stream: &str| redelivery == Redelivery::All || !overtaken.contains(stream);
        let letters: Vec<_> = letters.into_iter().filter(|(_, stream)| tries(stream)).collect();
        let positions: Vec<Position> = letters.iter().map(|(position, _)| *position).collect();
        let events = work.shared.log.read_at(&positions).await?;
        let events: Vec<Delivery> = events.into_iter().map(Delivery::from).collect();
        let task = work.shared.folding.run(move || {
            let folded = runner.fold(events.iter().collect(), &[], &mut handling)?;
            Ok::<_, BatchError>((runner, handling, folded))
        });
        let folded;
        (runner, handling, folded) = task.await??;
        let failed: HashSet<Position> = folded.set_aside.iter().map(|letter| letter.position).collect();
        // Each is handled after later events of other streams, on which its rows may depend as well.
        let out_of_order = positions.iter().filter(|position| !failed.contains(position)).count() as u64;
        let retry = RetryProgress { to: after, done, out_of_order };
        let step = Step { from: checkpoint, to: checkpoint, events_per_second: 0.0, batches: Batches::default() };
        let letters = folded.set_aside.clone();
        let (tried_now, left_now) = (positions.len(), letters.len());
        let outcome = Outcome {
            handled: folded.handled,
            carried: folded.answers,
            taken_back: positions,
            set_aside: folded.set_aside,
            retry: Some(retry),
        };
        commit(work, tables, &step, &folded.writes, outcome).await?;
        // A run after an interruption goes on from here.
        work.job.retrying = (!done).then_some(Retrying { redelivery, after });
        work.log_set_aside(&letters);
        tried += tried_now;
        left += left_now;
    }
    if tried > 0 {
        info!(reactor = %work.job.reactor.name, tried, left, "dead letters were tried again");
    }
    Ok(runner)
}
