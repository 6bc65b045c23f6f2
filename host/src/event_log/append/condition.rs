//! Looking up in the log what the condition of an append rules out, before the append waits for the lock.
//!
//! Committed events never change, so what is found, or not found, up to a position holds for ever. Under the lock, only what was appended
//! after that position is left to be looked at: a few events, however long the log is.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::AppendError;
use crate::{
    event_log::{
        event::Position,
        event_query::{AppendCondition, EventQuery},
        head::KnownHead,
        name::{EventType, StreamName},
        read::{self, Reader},
    },
    postgres::{Backoff, is_transient},
};

/// Up to so many events are left to be looked at under the lock, where all of them are read at once for the whole group.
const LEFT: u64 = 64;

/// A condition whose query was looked up in the log.
#[derive(Clone, Debug)]
pub(in crate::event_log) struct LookedUp {
    pub(super) query: EventQuery,
    /// Only events after this position count.
    pub(super) after: Position,
    /// Up to here, the log was searched.
    pub(super) searched: Position,
    /// The first event that matches, as far as it was searched.
    pub(super) found: Option<Match>,
}

impl LookedUp {
    /// The event that rules out the append, if one was found already.
    pub(in crate::event_log) fn failed(&self) -> Option<AppendError> {
        self.found.clone().map(AppendError::from)
    }

    /// As if nothing had been looked up, where the log ends before the position up to which it was searched: its database was restored.
    pub(super) fn known_at(&self, head: Position) -> (Position, Option<&Match>) {
        if self.searched > head { (self.after, None) } else { (self.searched, self.found.as_ref()) }
    }
}

/// An event that matches a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) position: Position,
    pub(super) stream: StreamName,
    pub(super) event_type: EventType,
}

impl From<Match> for AppendError {
    fn from(Match { position, stream, event_type }: Match) -> Self {
        Self::ConditionFailed { position, stream, event_type }
    }
}

/// Looks up a condition, again and again while Postgres is away, for as long as an append waits for it.
pub(in crate::event_log) async fn look_up(
    condition: AppendCondition,
    reader: &Reader,
    head: &KnownHead,
    timeout: Duration,
) -> Result<LookedUp, AppendError> {
    let AppendCondition { fail_if_events_match: query, after } = condition;
    let after = after.unwrap_or_default();
    let began = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
    loop {
        let search = tokio::time::timeout_at(began + timeout, search(&query, after, reader, head)).await;
        let error = match search {
            Err(_) => {
                let message = format!(
                    "the log was searched for {} s for events that match the append's condition; an `after` close to the head, or tags \
                     in each item of the query, make it short",
                    timeout.as_secs_f64()
                );
                return Err(AppendError::Unavailable(message));
            }
            Ok(Ok(Searched::Up { to, found })) => return Ok(LookedUp { query, after, searched: to, found }),
            Ok(Ok(Searched::BeyondHead(head))) => return Err(AppendError::ConditionBeyondHead { after, head }),
            Ok(Err(error)) => error,
        };
        if !is_transient(&error) {
            return Err(AppendError::Refused(error.to_string()));
        }
        warn!(%error, "cannot look up the condition of an append now, trying again");
        let pause = backoff.next_pause();
        if began.elapsed() + pause > timeout {
            return Err(AppendError::Unavailable(error.to_string()));
        }
        tokio::time::sleep(pause).await;
    }
}

enum Searched {
    Up { to: Position, found: Option<Match> },
    BeyondHead(Position),
}

async fn search(
    query: &EventQuery,
    after: Position,
    reader: &Reader,
    known: &KnownHead,
) -> Result<Searched, sqlx::Error> {
    let mut head = known.now();
    if after > head {
        // Another host may have appended what the writer has read.
        head = read::head(reader.pool()).await?;
        if after > head {
            return Ok(Searched::BeyondHead(head));
        }
    }
    if head.0 - after.0 <= LEFT {
        return Ok(Searched::Up { to: after, found: None });
    }
    let found = reader.first_match(query, after, head).await?;
    let found =
        found.map(|event| Match { position: event.position, stream: event.stream, event_type: event.event_type });
    Ok(Searched::Up { to: head, found })
}
