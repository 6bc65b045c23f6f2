//! Gathering the requests that wait, and committing them together.
//!
//! One task owns one connection and commits one group at a time; while it does, the next group gathers in the channel. So the
//! more writers there are, the larger the groups: a single writer waits for no other, a thousand share one commit.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use super::{
    Append, AppendError, Appended, Imported, Line,
    commit::{Committed, Lookup, commit},
    request::{Group, Request},
    seen_types::SeenTypes,
};
use crate::{
    event_log::event::Position,
    postgres::{Backoff, is_transient},
};

/// Requests that may wait in the queue; a caller with one more waits until there is room.
const QUEUE: usize = 4096;
/// A group is closed when it has this many events …
const GROUP_EVENTS: usize = 8192;
/// … or this many bytes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// How long one try waits for the lock of the head row.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Hands requests to the committing task, which ends when the last clone of this is dropped and all requests are answered.
#[derive(Clone, Debug)]
pub(in crate::event_log) struct Appender {
    requests: mpsc::Sender<Request>,
}

impl Appender {
    /// Starts the task. It sends the position of each commit to `head`; a request fails once it has waited for `timeout`.
    pub(in crate::event_log) fn start(
        pool: PgPool,
        head: watch::Sender<Position>,
        partition_events: u64,
        timeout: Duration,
    ) -> Self {
        let (requests, incoming) = mpsc::channel(QUEUE);
        let (connection, deferred, seen) = (None, None, SeenTypes::default());
        let task = CommitTask { pool, connection, incoming, deferred, head, partition_events, timeout, seen };
        tokio::spawn(task.run());
        Self { requests }
    }

    /// Commits appends, together or not at all.
    pub(in crate::event_log) async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let (request, answer) = Request::append(appends);
        self.requests.send(request).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Commits the lines that are not in the log yet, together or not at all.
    pub(in crate::event_log) async fn import(&self, lines: Vec<Line>) -> Result<Imported, AppendError> {
        let (request, answer) = Request::import(lines);
        self.requests.send(request).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn stopped() -> AppendError {
    AppendError::Unavailable("the host is shutting down".to_owned())
}

struct CommitTask {
    pool: PgPool,
    connection: Option<PgConnection>,
    incoming: mpsc::Receiver<Request>,
    /// A request that did not fit into the group before.
    deferred: Option<Request>,
    head: watch::Sender<Position>,
    partition_events: u64,
    timeout: Duration,
    seen: SeenTypes,
}

impl CommitTask {
    async fn run(mut self) {
        while let Some(group) = self.gather().await {
            self.commit(group).await;
        }
    }

    /// Waits for a request, and takes those that wait after it, too.
    async fn gather(&mut self) -> Option<Group> {
        let first = match self.deferred.take() {
            Some(request) => request,
            None => self.incoming.recv().await?,
        };
        let (mut events, mut bytes) = first.size();
        let mut group = Group::of(first);
        while let Ok(request) = self.incoming.try_recv() {
            let (more_events, more_bytes) = request.size();
            (events, bytes) = (events + more_events, bytes + more_bytes);
            if events > GROUP_EVENTS || bytes > GROUP_BYTES {
                self.deferred = Some(request);
                break;
            }
            group.push(request);
        }
        Some(group)
    }

    /// Commits a group, again and again while Postgres is away, and answers each request.
    async fn commit(&mut self, mut group: Group) {
        let mut lookup = Lookup::Given;
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            match self.try_commit(&group, lookup).await {
                Ok(Committed { appended, imported, head }) => {
                    self.head.send_if_modified(|known| {
                        let newer = head > *known;
                        *known = head.max(*known);
                        newer
                    });
                    return group.answer(appended, imported);
                }
                Err(error) if is_transient(&error) => {
                    warn!(%error, requests = group.len(), "cannot append now, trying again");
                    // The group may have been committed and only the answer lost. From now on all ids are looked up, so that
                    // events that are in the log already are found as repeats.
                    lookup = Lookup::All;
                    self.connection = None;
                    tokio::time::sleep(backoff.next_pause()).await;
                    self.fail_late_requests(&mut group, &error);
                    if group.is_empty() {
                        return;
                    }
                }
                Err(error) if group.len() > 1 => {
                    // Postgres refuses something that our checks let through. Each request is committed alone, so that only
                    // the faulty one fails.
                    warn!(%error, requests = group.len(), "cannot append the group, trying its requests one by one");
                    self.connection = None;
                    for request in group.into_requests() {
                        Box::pin(self.commit(Group::of(request))).await;
                    }
                    return;
                }
                Err(error) => {
                    error!(%error, "cannot append");
                    self.connection = None;
                    for request in group.into_requests() {
                        request.fail(AppendError::Refused(error.to_string()));
                    }
                    return;
                }
            }
        }
    }

    async fn try_commit(&mut self, group: &Group, lookup: Lookup) -> Result<Committed, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                // A lock timeout counts as a failure that passes; between two tries late requests are failed.
                let lock_timeout = format!("{}ms", self.timeout.min(LOCK_TIMEOUT).as_millis().max(1));
                let options = self.pool.connect_options().as_ref().clone().options([("lock_timeout", lock_timeout)]);
                self.seen.forget();
                none.insert(PgConnection::connect_with(&options).await?)
            }
        };
        commit(connection, group, lookup, self.partition_events, &mut self.seen).await
    }

    /// Fails the requests that have waited for longer than the timeout.
    fn fail_late_requests(&self, group: &mut Group, error: &sqlx::Error) {
        for request in group.take_late(self.timeout) {
            request.fail(AppendError::Unavailable(error.to_string()));
        }
    }
}
