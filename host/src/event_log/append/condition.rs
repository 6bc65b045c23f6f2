//! Looking up in the log what the condition of an append rules out, before the append waits for the lock.
//!
//! Committed events never change, so what is found, or not found, up to a position holds for ever. Under the lock, only what was appended
//! after that position is left to be looked at: a few events, however long the log is. That the log is still the one that was searched is
//! told by the stamp of the event at that position.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::Semaphore, time::Instant};
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
    postgres::{Backoff, PgTimestamp, is_transient},
};

/// Up to so many events are left to be looked at under the lock, where all of them are read at once for the whole group.
const LEFT: u64 = 64;
/// If there are more than so many by then, the condition is looked up again first: nobody holds the lock for longer than it takes to read these.
pub(super) const MOST_LEFT: u64 = 4096;

/// A condition whose query was looked up in the log.
#[derive(Clone, Debug)]
pub(in crate::event_log) struct LookedUp {
    pub(super) query: EventQuery,
    /// Only events after this position count.
    pub(super) after: Position,
    /// Up to here, the log was searched.
    pub(super) searched: Position,
    /// The stamp that the event there had; `None` if nothing was searched. It tells whether the log is still the one that was searched.
    pub(super) stamp: Option<PgTimestamp>,
    /// The first event that matches, as far as it was searched.
    pub(super) found: Option<Match>,
    /// Why it could not be looked up. Then only a repeat of what was appended before has an answer.
    pub(super) refused: Option<AppendError>,
}

impl LookedUp {
    /// A condition that is looked up nowhere yet.
    pub(in crate::event_log) fn begin(condition: AppendCondition) -> Self {
        let AppendCondition { fail_if_events_match: query, after } = condition;
        let after = after.unwrap_or_default();
        Self { query, after, searched: after, stamp: None, found: None, refused: None }
    }

    /// It cannot be looked up.
    pub(in crate::event_log) fn refuse(&mut self, error: AppendError) {
        self.refused = Some(error);
    }

    /// Why the append is not made, if that is known already.
    pub(in crate::event_log) fn failed(&self) -> Option<AppendError> {
        self.refused.clone().or_else(|| self.found.clone().map(AppendError::from))
    }

    /// Forgets what was found in a log that is not this one any more: its database was restored.
    pub(super) fn forgotten(&self) -> Self {
        Self { searched: self.after, stamp: None, found: None, ..self.clone() }
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

/// Looks conditions up in the log.
#[derive(Debug)]
pub(in crate::event_log) struct LookUps {
    /// They may take long, and leave connections for everything else.
    places: Semaphore,
    head: KnownHead,
}

impl LookUps {
    pub(in crate::event_log) fn new(pool: &PgPool, head: KnownHead) -> Self {
        let connections = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
        Self { places: Semaphore::new((connections / 4).max(1)), head }
    }

    /// Looks a condition up, from where it was looked up before, again and again while Postgres is away, until the deadline.
    pub(in crate::event_log) async fn look_up(
        &self,
        condition: &mut LookedUp,
        reader: &Reader,
        deadline: Instant,
    ) -> Result<(), AppendError> {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            let error = match tokio::time::timeout_at(deadline, self.search(condition, reader)).await {
                Err(_) => return Err(AppendError::ConditionTimedOut),
                Ok(Ok(None)) => return Ok(()),
                Ok(Ok(Some(head))) => return Err(AppendError::ConditionBeyondHead { after: condition.after, head }),
                Ok(Err(error)) => error,
            };
            if !is_transient(&error) {
                return Err(AppendError::Refused(error.to_string()));
            }
            warn!(%error, "cannot look up the condition of an append now, trying again");
            let pause = backoff.next_pause();
            if Instant::now() + pause > deadline {
                return Err(AppendError::Unavailable(error.to_string()));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns the head if the condition is of what comes after it.
    async fn search(&self, condition: &mut LookedUp, reader: &Reader) -> Result<Option<Position>, sqlx::Error> {
        // Another host may have appended what the writer has read.
        let known = self.head.now();
        if condition.searched <= known && known.0 - condition.searched.0 <= LEFT {
            return Ok(None);
        }
        let Ok(_place) = self.places.acquire().await else { return Ok(None) };
        // Read from Postgres: what this host knows may be of a log that was restored since.
        let (head, stamp) = read::stamped_head(reader.pool()).await?;
        if condition.searched > head {
            *condition = condition.forgotten();
        }
        if condition.after > head {
            return Ok(Some(head));
        }
        condition.found = match reader.first_match(&condition.query, condition.searched, head).await? {
            None => None,
            Some(event) => Some(Match { position: event.position, stream: event.stream, event_type: event.event_type }),
        };
        (condition.searched, condition.stamp) = (head, Some(stamp));
        Ok(None)
    }
}
