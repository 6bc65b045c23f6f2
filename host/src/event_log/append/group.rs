//! Gathering the requests that wait, and committing them together.
//!
//! One task owns one connection and commits one group at a time; while it does, the next group gathers in the channel. So the
//! more writers there are, the larger the groups: a single writer waits for nobody, a thousand share one commit.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tracing::{error, warn};

use super::{
    Append, AppendError, Appended, Imported, Line,
    commit::{Committed, Lookup, commit},
    plan::{Done, Work},
};
use crate::{
    event_log::event::Position,
    postgres::{Backoff, is_transient},
};

/// Requests that may wait; more wait for their place in the queue.
const QUEUE: usize = 4096;
/// A group is closed when it has this many events …
const GROUP_EVENTS: usize = 8192;
/// … or this many bytes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// How long one try waits for the lock of the head row.
const LOCK_WAIT: Duration = Duration::from_secs(2);

struct Request {
    work: Work,
    since: Instant,
    answer: oneshot::Sender<Result<Done, AppendError>>,
}

/// The way to the committing task. It ends when the last of these is dropped and all requests are answered.
#[derive(Clone, Debug)]
pub(in crate::event_log) struct Appender {
    requests: mpsc::Sender<Request>,
}

impl Appender {
    /// Starts the task. `head` is told of each commit; a request is given up after `patience`.
    pub(in crate::event_log) fn start(
        pool: PgPool,
        head: watch::Sender<Position>,
        partition_events: u64,
        patience: Duration,
    ) -> Self {
        let (requests, incoming) = mpsc::channel(QUEUE);
        let task = Task { pool, connection: None, incoming, put_off: None, head, partition_events, patience };
        tokio::spawn(task.run());
        Self { requests }
    }

    /// Takes in appends, together or not at all.
    pub(in crate::event_log) async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        match self.request(Work::Append(appends)).await? {
            Done::Appended(appended) => Ok(appended),
            Done::Imported(_) => unreachable!("an append is answered as an append"),
        }
    }

    /// Takes in the lines that are not in the log yet, together or not at all.
    pub(in crate::event_log) async fn import(&self, lines: Vec<Line>) -> Result<Imported, AppendError> {
        match self.request(Work::Import(lines)).await? {
            Done::Imported(imported) => Ok(imported),
            Done::Appended(_) => unreachable!("an import is answered as an import"),
        }
    }

    async fn request(&self, work: Work) -> Result<Done, AppendError> {
        let stopped = || AppendError::Unavailable("the host is shutting down".to_owned());
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request { work, since: Instant::now(), answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

struct Task {
    pool: PgPool,
    connection: Option<PgConnection>,
    incoming: mpsc::Receiver<Request>,
    /// A request that was too large for the group before.
    put_off: Option<Request>,
    head: watch::Sender<Position>,
    partition_events: u64,
    patience: Duration,
}

impl Task {
    async fn run(mut self) {
        while let Some(group) = self.gather().await {
            self.commit(group).await;
        }
    }

    /// Waits for a request and takes those that wait behind it.
    async fn gather(&mut self) -> Option<Vec<Request>> {
        let first = match self.put_off.take() {
            Some(request) => request,
            None => self.incoming.recv().await?,
        };
        let (mut events, mut bytes) = first.work.size();
        let mut group = vec![first];
        while let Ok(request) = self.incoming.try_recv() {
            let (more_events, more_bytes) = request.work.size();
            (events, bytes) = (events + more_events, bytes + more_bytes);
            if events > GROUP_EVENTS || bytes > GROUP_BYTES {
                self.put_off = Some(request);
                break;
            }
            group.push(request);
        }
        Some(group)
    }

    /// Commits a group, again and again while Postgres is away, and answers each request.
    async fn commit(&mut self, mut group: Vec<Request>) {
        let mut lookup = Lookup::Given;
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            let work: Vec<&Work> = group.iter().map(|request| &request.work).collect();
            match self.try_commit(&work, lookup).await {
                Ok(Committed { results, head }) => {
                    self.head.send_if_modified(|known| {
                        let newer = head > *known;
                        *known = head.max(*known);
                        newer
                    });
                    for (request, result) in group.into_iter().zip(results) {
                        // A client that went away is told nothing.
                        let _ = request.answer.send(result);
                    }
                    return;
                }
                Err(error) if is_transient(&error) => {
                    warn!(%error, requests = group.len(), "cannot append now, trying again");
                    // The commit may have gone through although its answer did not. All ids are looked up from now on: what
                    // is there already is found as a repeat.
                    lookup = Lookup::All;
                    self.connection = None;
                    tokio::time::sleep(backoff.next_pause()).await;
                    group = self.give_up_late(group, &error);
                    if group.is_empty() {
                        return;
                    }
                }
                Err(error) if group.len() > 1 => {
                    // Postgres refuses something that our checks let through. Each request goes alone from here, so that
                    // only the guilty one fails.
                    warn!(%error, requests = group.len(), "cannot append the group, trying its requests one by one");
                    self.connection = None;
                    for request in group {
                        Box::pin(self.commit(vec![request])).await;
                    }
                    return;
                }
                Err(error) => {
                    error!(%error, "cannot append");
                    self.connection = None;
                    for request in group {
                        let _ = request.answer.send(Err(AppendError::Refused(error.to_string())));
                    }
                    return;
                }
            }
        }
    }

    async fn try_commit(&mut self, work: &[&Work], lookup: Lookup) -> Result<Committed, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                // A wait for the head's lock is an error that passes; the group's patience is looked at in between.
                let wait = format!("{}ms", self.patience.min(LOCK_WAIT).as_millis().max(1));
                let options = self.pool.connect_options().as_ref().clone().options([("lock_timeout", wait)]);
                none.insert(PgConnection::connect_with(&options).await?)
            }
        };
        commit(connection, work, lookup, self.partition_events).await
    }

    fn give_up_late(&self, group: Vec<Request>, error: &sqlx::Error) -> Vec<Request> {
        let (late, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|request| request.since.elapsed() > self.patience);
        for request in late {
            let _ = request.answer.send(Err(AppendError::Unavailable(error.to_string())));
        }
        waiting
    }
}

impl Work {
    /// Events and bytes.
    fn size(&self) -> (usize, usize) {
        match self {
            Self::Append(appends) => appends
                .iter()
                .flat_map(|append| &append.events)
                .fold((0, 0), |(events, bytes), event| (events + 1, bytes + event.bytes())),
            Self::Import(lines) => (lines.len(), lines.iter().map(|(_, event)| event.bytes()).sum()),
        }
    }
}
