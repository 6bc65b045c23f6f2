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
    ) -> impl Stream<Item = Result<Vec<Followed>, sqlx::Error>> + Send + use<> {
        let (log, head) = (self.clone(), self.head());
        stream::try_unfold((log, head, after), move |(log, mut head, after)| {
            let filter = filter.clone();
            async move {
                wait_beyond(&mut head, after).await;
                let page = log.read(Direction::Forward, Some(after), PAGE, &filter).await?;
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
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, sqlx::Error>> + Send + use<> {
        // `None`: read at once, whatever the head.
        let start = (self.clone(), self.head(), None, after);
        stream::try_unfold(start, move |(log, mut head, seen, after)| {
            let name = name.clone();
            async move {
                if let Some(seen) = seen {
                    wait_beyond(&mut head, seen).await;
                }
                let seen = *head.borrow_and_update();
                let page = log.read_stream(&name, Some(after), PAGE, Direction::Forward).await?;
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

/// Waits until the head is beyond a position. Waits for ever if the log is closing: its owner drops the follower then.
async fn wait_beyond(head: &mut watch::Receiver<Position>, position: Position) {
    if head.wait_for(|head| *head > position).await.is_err() {
        std::future::pending::<()>().await;
    }
}
