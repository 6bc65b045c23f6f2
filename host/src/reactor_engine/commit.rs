//! Committing what a reactor makes of its events: rows, appended events, messages, schedules, dead letters and the checkpoint.

use std::{collections::BTreeSet, time::Instant};

use super::{effects::Carried, stop::Stop, work::Work};
use crate::{
    event_log::{Append, Position},
    metrics,
    outbox::{self, NewMessage},
    postgres::{ANSWER_TIMEOUT, within},
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
    let is_plain = appends.is_empty() && schedules.is_empty() && taken_back.is_empty() && set_aside.is_empty();
    if is_plain && retry.is_none() && commit_in_one_statement(work, tables, step, writes, &handled, &messages).await? {
        let count = metrics::CarriedEffects { appends: 0, messages: messages.len(), schedules: 0 };
        metrics::of_host().reactors.committed(began.elapsed(), count, 0);
        return Ok(false);
    }
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

/// Commits rows, messages and checkpoint in one statement, and so in one round trip; this host sends the messages at once, if its workers can. Returns
/// whether it has: the checkpoint may not be moved, or there may be too many rows.
async fn commit_in_one_statement(
    work: &Work,
    tables: &TableSet,
    step: &Step,
    writes: &WriteSet,
    handled: &Handled,
    messages: &[NewMessage],
) -> Result<bool, Stop> {
    let Work { shared, lease, .. } = work;
    let first = subscriptions::MOVE_PARAMETERS + 1;
    let Some(parts) = tables.parts(writes, "moved", first) else { return Ok(false) };
    let first = first + TableSet::parameters(writes);
    let text = match messages.is_empty() {
        true => format!("{}{parts} SELECT {}", subscriptions::MOVE, subscriptions::MOVED),
        false => {
            let messages = outbox::enqueue_parts("moved", "moved.is_followed", first);
            format!("{}{parts}{messages}", subscriptions::MOVE)
        }
    };
    let statement = subscriptions::bind_move(sqlx::query(&text), *lease, step, handled, Rows::Kept);
    let mut statement = TableSet::bind_parts(statement, writes);
    let reservation = shared.outbox.reserve(messages);
    if !messages.is_empty() {
        statement = outbox::bind_parts(statement, messages, &reservation);
    }
    let rows = within(ANSWER_TIMEOUT, "the commit of a batch", statement.fetch_all(&shared.pool)).await?;
    let moved = rows.first().map(subscriptions::moved).transpose()?.flatten();
    if moved.is_some() && !messages.is_empty() {
        shared.outbox.committed(reservation, outbox::claimed_keys(&rows, 1)?, messages).await;
    }
    Ok(moved.is_some())
}
