//! Following the log, or one stream, as it grows.

use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::{
    EventLog,
    direction::Direction,
    event::{Position, RecordedEvent, StreamVersion},
    filter::Filter,
    name::StreamName,
    read::PageSize,
};

/// Events that one read returns at most.
const PAGE: usize = 500;
/// Bytes of them, unless one event is larger. Whoever follows does not wait for a page to be full.
pub(super) const PAGE_BYTES: usize = 64 * 1024;

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

/// The room that a follower has for the next page.
#[derive(Clone, Copy, Debug)]
struct Room {
    bytes: usize,
}

impl Room {
    const FIRST: Self = Self { bytes: PAGE_BYTES };

    fn page(self) -> PageSize {
        PageSize { events: PAGE, bytes: self.bytes }
    }

    /// The room that is needed instead, if these events have not enough.
    fn too_small(self, events: &[RecordedEvent]) -> Option<Self> {
        let [only] = events else { return None };
        (only.bytes() > self.bytes).then(|| Self { bytes: only.bytes() })
    }

    /// For a page as large as this one, so that large events are not read twice.
    fn next(events: &[RecordedEvent]) -> Self {
        Self { bytes: events.iter().map(RecordedEvent::bytes).max().unwrap_or_default().max(PAGE_BYTES) }
    }
}

impl EventLog {
    /// The matching events after `after`, and then those to come. The stream ends only with an error.
    ///
    /// Before each read, `reserve` waits for memory for so many bytes; what it returns comes with the events.
    pub fn follow<W, R, F>(
        &self,
        after: Position,
        filter: Filter,
        reserve: W,
    ) -> impl Stream<Item = Result<(Vec<Followed>, R), FollowError>> + Send + use<W, R, F>
    where
        W: Fn(usize) -> F + Clone + Send,
        R: Send,
        F: Future<Output = R> + Send,
    {
        let start = (self.clone(), KnownLog::of(self), after, Room::FIRST);
        stream::try_unfold(start, move |(log, mut head, after, mut room)| {
            let (filter, reserve) = (filter.clone(), reserve.clone());
            async move {
                loop {
                    head.wait_beyond(after).await?;
                    let reserved = reserve(room.bytes).await;
                    let page = log.read(Direction::Forward, Some(after), room.page(), &filter).await?;
                    // Read from Postgres, in which every event is that a follower has received.
                    if page.head < after {
                        return Err(FollowError::Restored(page.head));
                    }
                    if let Some(more) = room.too_small(&page.events) {
                        // Both are given back before more is waited for, or followers could wait for each other.
                        drop((page, reserved));
                        room = more;
                        continue;
                    }
                    let next = page.next.unwrap_or(after);
                    if next <= after {
                        // The log ends before the head that this host knows. To read again at once would be to spin.
                        drop(reserved);
                        head.wait_for_change().await?;
                        continue;
                    }
                    let room = Room::next(&page.events);
                    let last = page.events.last().map(|event| event.position);
                    let mut found: Vec<Followed> =
                        page.events.into_iter().map(|event| Followed::Event(Box::new(event))).collect();
                    if last != Some(next) {
                        found.push(Followed::Searched(next));
                    }
                    return Ok(Some(((found, reserved), (log, head, next, room))));
                }
            }
        })
    }

    /// The events of a stream after `after`, and then those to come. The stream need not exist yet. `reserve` is as in
    /// [`follow`](Self::follow).
    pub fn follow_stream<W, R, F>(
        &self,
        name: StreamName,
        after: StreamVersion,
        reserve: W,
    ) -> impl Stream<Item = Result<(Vec<RecordedEvent>, R), FollowError>> + Send + use<W, R, F>
    where
        W: Fn(usize) -> F + Clone + Send,
        R: Send,
        F: Future<Output = R> + Send,
    {
        // `None`: read at once, whatever the head.
        let start = (self.clone(), KnownLog::of(self), None, after, Room::FIRST);
        stream::try_unfold(start, move |(log, mut head, mut seen, after, mut room)| {
            let (name, reserve) = (name.clone(), reserve.clone());
            async move {
                loop {
                    if let Some(seen) = seen {
                        head.wait_beyond(seen).await?;
                    }
                    let now = *head.position.borrow_and_update();
                    let reserved = reserve(room.bytes).await;
                    let page = log.read_stream(&name, Some(after), room.page(), Direction::Forward).await?;
                    let (events, version) =
                        page.map_or((Vec::new(), StreamVersion(0)), |page| (page.events, page.version));
                    if version < after {
                        return Err(FollowError::Restored(now));
                    }
                    if let Some(more) = room.too_small(&events) {
                        drop((events, reserved));
                        room = more;
                        continue;
                    }
                    let Some(next) = events.last().map(|event| event.version) else {
                        seen = Some(now);
                        continue;
                    };
                    let room = Room::next(&events);
                    // After a page that ended early there are more.
                    let seen = if next < version { None } else { Some(now) };
                    return Ok(Some(((events, reserved), (log, head, seen, next, room))));
                }
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

    /// Waits until this host learns of another head, or of a restore.
    async fn wait_for_change(&mut self) -> Result<(), FollowError> {
        let changed = tokio::select! {
            biased;
            restored = self.restores.changed() => restored.map(|()| false),
            changed = self.position.changed() => changed.map(|()| true),
        };
        match changed {
            Ok(true) => Ok(()),
            Ok(false) => Err(FollowError::Restored(*self.position.borrow())),
            Err(_) => std::future::pending().await,
        }
    }
}
