//! Folds all events by one plan.

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
    /// An event could not be handled.
    Failed { position: u64, message: String },
}

/// The result of a run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    pub(super) lines: Vec<String>,
    pub(super) late: Vec<LateFetch>,
}

/// Folds all events, beginning with empty tables.
///
/// # Panics
/// The projection panics.
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

/// Events, and the tables as the events handled so far have left them.
pub(super) struct FoldState<'e> {
    pub(super) events: &'e [RawEvent],
    pub(super) tables: StoredTables,
}

impl FoldState<'_> {
    /// Folds batches with one instance. If an event cannot be handled, the events before it are folded.
    ///
    /// As in a host, a batch that fails is folded again in parts, each with a new instance, until the faulty event is alone. So a
    /// refusal at the end of a batch is attributed to the event that caused it, and a batch that is too large as a whole is not
    /// a failure.
    ///
    /// # Errors
    /// The projection panicked or its process ended.
    pub(super) fn fold<P: Projection>(&mut self, batches: &[Vec<usize>]) -> Result<InstanceRun, String> {
        let mut instance = match run_instance::<P>(&self.tables, batches, self.events) {
            Ok(instance) => instance,
            Err(crash) => {
                let event = crash.position.and_then(|position| described(self.events, position));
                let event = event.unwrap_or_else(|| "one of the events".to_owned());
                return Err(format!("{event} stopped the projection: {}", crash.message));
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
            // The batch was too large as a whole, and its parts were not.
            return self.fold::<P>(&batches[number + 1..]).map(|rest| InstanceRun {
                failed: rest.failed.map(|failed| Failed { batch: number + 1 + failed.batch, ..failed }),
                ..instance
            });
        }
        Ok(instance)
    }

    /// Folds a part of a batch, and returns position and message of the event that cannot be handled, if there is one.
    fn narrow<P: Projection>(&mut self, part: &[usize]) -> Result<Option<(u64, String)>, String> {
        if part.is_empty() {
            return Ok(None);
        }
        let failed = self.fold::<P>(&[part.to_vec()])?.failed;
        Ok(failed.map(|failed| (failed.position, failed.message)))
    }
}

/// An event for messages: `event 3 (MoneyDeposited of account-1)`.
pub(super) fn described(events: &[RawEvent], position: u64) -> Option<String> {
    let event = events.iter().find(|event| event.position == position)?;
    Some(format!("event {position} ({} of {})", event.event_type, event.stream))
}
