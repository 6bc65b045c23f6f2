//! One way to fold all events, from empty tables to the last row.

use super::{
    batches::BatchPlan,
    instance::{Failed, InstanceRun, run_instance},
    memory::LateFetch,
    tables::StoredTables,
};
use crate::{Projection, Tables, event::RawEvent};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All events were handled.
    Rows(StoredTables),
    /// One could not be.
    Failed { position: u64, message: String },
}

/// What a run brought to light.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    pub(super) lines: Vec<String>,
    pub(super) late: Vec<LateFetch>,
}

/// # Panics
/// The projection does.
#[track_caller]
pub(super) fn run<P: Projection>(plan: &BatchPlan, events: &[RawEvent]) -> Run {
    let mut state = FoldState { events, tables: StoredTables::new(P::Tables::schemas()) };
    let (mut lines, mut late) = (Vec::new(), Vec::new());
    for batches in plan.instances() {
        let instance = match state.fold::<P>(&batches) {
            Ok(instance) => instance,
            Err(message) => panic!("{message} ({plan})"),
        };
        lines.extend(instance.lines);
        late.extend(instance.late);
        if let Some(Failed { position, message, .. }) = instance.failed {
            return Run { outcome: Outcome::Failed { position, message }, lines, late };
        }
    }
    Run { outcome: Outcome::Rows(state.tables), lines, late }
}

/// Events, and the tables as those before have left them.
pub(super) struct FoldState<'e> {
    pub(super) events: &'e [RawEvent],
    pub(super) tables: StoredTables,
}

impl FoldState<'_> {
    /// Folds batches with one memory. Where an event cannot be handled, everything before it is folded.
    ///
    /// As in a host, the batch in which something failed is done again in parts, each with fresh memory, until one event is
    /// left: what the host refuses at the end of a batch is thus found at the event that caused it, and a batch that is too
    /// large as a whole is not a failure.
    ///
    /// # Errors
    /// What the projection did that stopped it.
    pub(super) fn fold<P: Projection>(&mut self, batches: &[Vec<usize>]) -> Result<InstanceRun, String> {
        let mut instance = match run_instance::<P>(&self.tables, batches, self.events) {
            Ok(instance) => instance,
            Err(crash) => {
                let place = crash.position.and_then(|position| described(self.events, position));
                let place = place.unwrap_or_else(|| "one of the events".to_owned());
                return Err(format!("{place} stopped the projection: {}", crash.message));
            }
        };
        instance.writes.iter().for_each(|write| self.tables.apply(write));
        let Some(failed) = &instance.failed else { return Ok(instance) };
        let batch = &batches[failed.batch];
        if batch.len() == 1 {
            return Ok(instance);
        }
        let earlier = if failed.was_refused {
            let (first, second) = batch.split_at(batch.len() / 2);
            match self.narrow::<P>(first)? {
                None => self.narrow::<P>(second)?,
                failed => failed,
            }
        } else {
            let is_before = |event: &&usize| self.events[**event].position != failed.position;
            let before = batch.iter().take_while(is_before).count();
            self.narrow::<P>(&batch[..before])?.or(Some((failed.position, failed.message.clone())))
        };
        let number = failed.batch;
        instance.failed =
            earlier.map(|(position, message)| Failed { batch: number, position, message, was_refused: false });
        if instance.failed.is_none() {
            // Only as a whole was the batch too large.
            return self.fold::<P>(&batches[number + 1..]).map(|rest| InstanceRun {
                failed: rest.failed.map(|failed| Failed { batch: number + 1 + failed.batch, ..failed }),
                ..instance
            });
        }
        Ok(instance)
    }

    /// Folds a part of a batch; answers which event of it cannot be handled.
    fn narrow<P: Projection>(&mut self, part: &[usize]) -> Result<Option<(u64, String)>, String> {
        if part.is_empty() {
            return Ok(None);
        }
        let failed = self.fold::<P>(&[part.to_vec()])?.failed;
        Ok(failed.map(|failed| (failed.position, failed.message)))
    }
}

/// `event 3 (MoneyDeposited of account-1)`
pub(super) fn described(events: &[RawEvent], position: u64) -> Option<String> {
    let event = events.iter().find(|event| event.position == position)?;
    Some(format!("event {position} ({} of {})", event.event_type, event.stream))
}
