//! Committing what a reactor makes of its events: rows, appended events, messages, schedules, dead letters and the checkpoint.

use std::{collections::BTreeSet, time::Instant};

use super::{effects::Carried, stop::Stop, work::Work};
use crate::{
    event_log::{Append, Position},
    metrics,
    outbox::{self, NewMessage},
    reactors::{ScheduleChange, append_refused, change_schedules},
    read_model::{TableSet, WriteSet},
    subscriptions::{self, DeadLetter, Handled, RetryProgress, Rows, Step, StopError},
};

/// What the events of a step do.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) handled: Handled,
    pub(super) carried: Vec<Carried>,
    /// Dead letters that are no longer set aside.
    pub(super) taken_back: Vec<Position>,
    /// Events that are set aside.
    pub(super) set_aside: Vec<DeadLetter>,
    /// How far dead letters have been tried again, if this step tries some.
    pub(super) retry: Option<RetryProgress>,
}

/// Effects by what carries them out.
#[derive(Debug, Default)]
struct Sorted {
    appends: Vec<Append>,
    /// The event that each append answers, and its number.
    answered: Vec<(Position, u32)>,
    messages: Vec<NewMessage>,
    schedules: Vec<ScheduleChange>,
}

impl Sorted {
    fn of(carried: Vec<Carried>) -> Self {
        let mut sorted = Self::default();
        for carried in carried {
            match carried {
                Carried::Append { append, position, number } => {
                    sorted.appends.push(append);
                    sorted.answered.push((position, number));
                }
                Carried::Message(message) => sorted.messages.push(message),
                Carried::Schedule(change) => sorted.schedules.push(change),
            }
        }
        sorted
    }
}

/// Commits all of it in one transaction, or nothing. Returns whether schedules were changed.
pub(super) async fn commit(
    work: &Work,
    tables: &TableSet,
    step: &Step,
    writes: &WriteSet,
    outcome: Outcome,
) -> Result<bool, Stop> {
    let Work { shared, job, lease, .. } = work;
    let (lease, reactor) = (*lease, &job.reactor);
    let Outcome { handled, carried, taken_back, set_aside, retry } = outcome;
    let Sorted { appends, answered, messages, schedules } = Sorted::of(carried);
    let began = Instant::now();
    let mut transaction = crate::postgres::begin(&shared.pool).await?;
    // The first statement locks the subscription's row, so the lease cannot be taken away before the commit.
    subscriptions::advance(&mut transaction, lease, step, &handled, Rows::Kept).await?;
    tables.apply(&mut transaction, writes).await?;
    if !taken_back.is_empty() {
        subscriptions::take_back(&mut transaction, lease.subscription, &taken_back).await?;
    }
    if !set_aside.is_empty() {
        let found = subscriptions::set_aside(&mut transaction, lease.subscription, &set_aside).await?;
        let max = shared.settings.max_dead_letters;
        if found > max {
            return Err(Stop::Halted(StopError::TooManyDeadLetters { found, max }));
        }
    }
    if let Some(progress) = &retry {
        subscriptions::note_retry(&mut transaction, lease.subscription, progress).await?;
    }
    if !schedules.is_empty() {
        change_schedules(&mut transaction, reactor.id, &schedules).await?;
    }
    // While this transaction has the row, the lease is not renewed.
    if began.elapsed() > lease.duration / 3 {
        subscriptions::prolong(&mut transaction, lease).await?;
    }
    outbox::enqueue(&mut transaction, &messages).await?;
    let count =
        metrics::CarriedEffects { appends: appends.len(), messages: messages.len(), schedules: schedules.len() };
    let mut uncommitted = None;
    if !appends.is_empty() {
        // From here to the commit, nobody else appends.
        let asked = appends.clone();
        let tell = |index: usize, error: &_| {
            let (position, number) = answered[index];
            append_refused(reactor, &asked[index], error, position, number).map_err(|error| error.to_string())
        };
        uncommitted = Some(shared.log.append_within(&mut transaction, appends, tell).await?);
    }
    transaction.commit().await?;
    let refused =
        uncommitted.as_ref().map_or(0, |appends| appends.results.iter().filter(|result| result.is_err()).count());
    if let Some(uncommitted) = uncommitted {
        uncommitted.committed();
    }
    messages
        .iter()
        .map(|message| &message.sink)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .for_each(|sink| shared.outbox.wake(sink));
    metrics::of_host().reactors.committed(began.elapsed(), count, refused);
    Ok(!schedules.is_empty())
}
