//! Following the log, or one stream, as it grows.

use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::{
    EventLog,
    event::{Position, RecordedEvent, StreamVersion},
    filter::Filter,
    name::StreamName,
    read::Direction,
};

/// Events that one read returns at most.
const PAGE: usize = 500;

/// Why a follower receives nothing more.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Postgres fails.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// The log is another one than before, or goes no further than the follower has read: its database was restored.
    #[error(
        "the log is another one than before, since its database was restored: its newest event is at position {0}, and events that \
         the follower has received may not be in it"
    )]
    Restored(Position),
}

/// What a follower receives.
#[derive(Clone, Debug)]
pub enum Followed {
    /// The next event that matches.
    Event(Box<RecordedEvent>),
    /// Nothing else up to this position matches: a follower that reconnects may begin after it.
    Searched(Position),
}

impl EventLog {
    /// The matching events after `after`, and then those to come. The stream ends only with an error.
    pub fn follow(
        &self,
        after: Position,
        filter: Filter,
    ) -> impl Stream<Item = Result<Vec<Followed>, FollowError>> + Send + use<> {
        let (log, head) = (self.clone(), KnownLog::of(self));
        stream::try_unfold((log, head, after), move |(log, mut head, after)| {
            let filter = filter.clone();
            async move {
                head.wait_beyond(after).await?;
                let page = log.read(Direction::Forward, Some(after), PAGE, &filter).await?;
                // Read from Postgres, in which every event is that a follower has received.
                if page.head < after {
                    return Err(FollowError::Restored(page.head));
                }
                let next = page.next.unwrap_or(after);
                let last = page.events.last().map(|event| event.position);
                let mut found: Vec<Followed> =
                    page.events.into_iter().map(|event| Followed::Event(Box::new(event))).collect();
                if last != Some(next) && next > after {
                    found.push(Followed::Searched(next));
                }
                Ok(Some((found, (log, head, next))))
            }
        })
    }

    /// The events of a stream after `after`, and then those to come. The stream need not exist yet.
    pub fn follow_stream(
        &self,
        name: StreamName,
        after: StreamVersion,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, FollowError>> + Send + use<> {
        // `None`: read at once, whatever the head.
        let start = (self.clone(), KnownLog::of(self), None, after);
        stream::try_unfold(start, move |(log, mut head, seen, after)| {
            let name = name.clone();
            async move {
                if let Some(seen) = seen {
                    head.wait_beyond(seen).await?;
                }
                let seen = *head.position.borrow_and_update();
                let page = log.read_stream(&name, Some(after), PAGE, Direction::Forward).await?;
                if page.as_ref().map_or(StreamVersion(0), |page| page.version) < after {
                    return Err(FollowError::Restored(seen));
                }
                let (events, next) = match page {
                    Some(page) => (page.events, page.next.unwrap_or(after)),
                    None => (Vec::new(), after),
                };
                // After a full page there may be more.
                let seen = if events.len() == PAGE { None } else { Some(seen) };
                Ok(Some((events, (log, head, seen, next))))
            }
        })
    }
}

/// The log as a follower knows it.
struct KnownLog {
    position: watch::Receiver<Position>,
    restores: watch::Receiver<u64>,
}

impl KnownLog {
    fn of(log: &EventLog) -> Self {
        Self { position: log.head(), restores: log.restores() }
    }

    /// Waits until the head is beyond a position. Waits for ever if the log is closing: its owner drops the follower then.
    async fn wait_beyond(&mut self, position: Position) -> Result<(), FollowError> {
        let beyond = tokio::select! {
            biased;
            restored = self.restores.changed() => restored.map(|()| false),
            beyond = self.position.wait_for(|head| *head > position) => beyond.map(|_| true),
        };
        match beyond {
            Ok(true) => Ok(()),
            Ok(false) => Err(FollowError::Restored(*self.position.borrow())),
            Err(_) => std::future::pending().await,
        }
    }
}
