//! Handles all events by one plan.

use super::{
    batches::BatchPlan,
    instance::{Failed, InstanceRun, run_instance},
    memory::LateFetch,
    tables::StoredTables,
    tested::Tested,
};
use crate::{Tables, event::RawEvent, reactor::answers::Answer};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All events were handled.
    Handled {
        /// The rows.
        tables: StoredTables,
        /// The effects of the events that have some.
        answers: Vec<Answer>,
    },
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

/// Handles all events, beginning with empty tables.
///
/// # Panics
/// The module panics.
#[track_caller]
pub(super) fn run<M: Tested>(plan: &BatchPlan, events: &[RawEvent]) -> Run {
    let mut state = FoldState::new::<M>(events);
    let (mut lines, mut late) = (Vec::new(), Vec::new());
    for batches in plan.instances() {
        let instance = match state.fold::<M>(&batches) {
            Ok(instance) => instance,
            Err(message) => panic!("{message} ({plan})"),
        };
        lines.extend(instance.lines);
        late.extend(instance.late);
        if let Some(Failed { position, message, .. }) = instance.failed {
            return Run { outcome: Outcome::Failed { position, message }, lines, late };
        }
    }
    let FoldState { tables, answers, .. } = state;
    Run { outcome: Outcome::Handled { tables, answers }, lines, late }
}

/// Events, and the tables and effects of the events handled so far.
pub(super) struct FoldState<'e> {
    events: &'e [RawEvent],
    pub(super) tables: StoredTables,
    answers: Vec<Answer>,
}

impl<'e> FoldState<'e> {
    pub(super) fn new<M: Tested>(events: &'e [RawEvent]) -> Self {
        Self { events, tables: StoredTables::new(M::Tables::schemas()), answers: Vec::new() }
    }

    /// Handles batches with one instance. If an event cannot be handled, the events before it are.
    ///
    /// As in a host, a batch that fails is folded again in parts, each with a new instance, until the faulty event is alone. So a
    /// refusal at the end of a batch is attributed to the event that caused it, and a batch that is too large as a whole is not
    /// a failure.
    ///
    /// # Errors
    /// The module panicked or its process ended.
    pub(super) fn fold<M: Tested>(&mut self, batches: &[Vec<usize>]) -> Result<InstanceRun, String> {
        let mut instance = match run_instance::<M>(&self.tables, batches, self.events) {
            Ok(instance) => instance,
            Err(crash) => {
                let event = crash.position.and_then(|position| described(self.events, position));
                let event = event.unwrap_or_else(|| "one of the events".to_owned());
                return Err(format!("{event} stopped the {}: {}", M::KIND, crash.message));
            }
        };
        instance.writes.iter().for_each(|write| self.tables.apply(write));
        self.answers.append(&mut instance.answers);
        let Some(failed) = &instance.failed else { return Ok(instance) };
        let batch = &batches[failed.batch];
        if batch.len() == 1 {
            return Ok(instance);
        }
        let earlier = if failed.was_refused {
            let (first, second) = batch.split_at(batch.len() / 2);
            match self.narrow::<M>(first)? {
                None => self.narrow::<M>(second)?,
                failed => failed,
            }
        } else {
            let is_before = |event: &&usize| self.events[**event].position != failed.position;
            let before = batch.iter().take_while(is_before).count();
            self.narrow::<M>(&batch[..before])?.or(Some((failed.position, failed.message.clone())))
        };
        let number = failed.batch;
        instance.failed =
            earlier.map(|(position, message)| Failed { batch: number, position, message, was_refused: false });
        if instance.failed.is_none() {
            // The batch was too large as a whole, and its parts were not.
            return self.fold::<M>(&batches[number + 1..]).map(|rest| InstanceRun {
                failed: rest.failed.map(|failed| Failed { batch: number + 1 + failed.batch, ..failed }),
                ..instance
            });
        }
        Ok(instance)
    }

    /// Folds a part of a batch, and returns position and message of the event that cannot be handled, if there is one.
    fn narrow<M: Tested>(&mut self, part: &[usize]) -> Result<Option<(u64, String)>, String> {
        if part.is_empty() {
            return Ok(None);
        }
        let failed = self.fold::<M>(&[part.to_vec()])?.failed;
        Ok(failed.map(|failed| (failed.position, failed.message)))
    }
}

/// An event for messages: `event 3 (MoneyDeposited of account-1)`.
pub(super) fn described(events: &[RawEvent], position: u64) -> Option<String> {
    let event = events.iter().find(|event| event.position == position)?;
    Some(format!("event {position} ({} of {})", event.event_type, event.stream))
}
