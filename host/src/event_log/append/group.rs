//! Gathering the requests that wait, and committing them together.
//!
//! One task owns one connection and commits one group at a time; while it does, the next group gathers in the channel. So the
//! more writers there are, the larger the groups: a single writer waits for no other, a thousand share one commit.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use super::{
    Append, AppendError, Appended, Imported, Line,
    commit::{CommitError, Committed, Lookup, commit},
    request::{Group, Request},
    seen_types::SeenTypes,
};
use crate::{
    event_log::event::Position,
    postgres::{Backoff, connect_beside, is_transient},
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
    /// Opens the connection and starts the task. It sends the position of each commit to `head`; a request fails once it has waited
    /// for `timeout`.
    pub(in crate::event_log) async fn start(
        pool: PgPool,
        head: watch::Sender<Position>,
        partition_events: u64,
        timeout: Duration,
    ) -> Result<Self, sqlx::Error> {
        let (requests, incoming) = mpsc::channel(QUEUE);
        let (connection, deferred, seen) = (None, None, SeenTypes::default());
        let mut task = CommitTask { pool, connection, incoming, deferred, head, partition_events, timeout, seen };
        task.connect().await?;
        tokio::spawn(task.run());
        Ok(Self { requests })
    }

    /// Checks that appends can be made: their connection lives, or a new one can be opened.
    pub(in crate::event_log) async fn check(&self) -> Result<(), AppendError> {
        let (request, answer) = Request::check();
        self.requests.send(request).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
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
    async fn commit(&mut self, group: Group) {
        if group.is_empty() {
            return self.answer_checks(group).await;
        }
        self.commit_from(group, false).await;
    }

    /// Commits a group; `may_be_committed` if that was tried before, and the answer lost.
    async fn commit_from(&mut self, mut group: Group, mut may_be_committed: bool) {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        loop {
            // After a lost answer all ids are looked up, so that events that are in the log already are found as repeats.
            let lookup = if may_be_committed { Lookup::All } else { Lookup::Given };
            let error = match self.try_commit(&group, lookup).await {
                Ok(Committed { appended, imported, head }) => {
                    self.head.send_if_modified(|known| {
                        let newer = head > *known;
                        *known = head.max(*known);
                        newer
                    });
                    return group.answer(appended, imported);
                }
                Err(CommitError { error, may_be_committed: unknown }) => {
                    may_be_committed |= unknown;
                    error
                }
            };
            self.connection = None;
            let failed = |error: &sqlx::Error| {
                if may_be_committed {
                    AppendError::Unknown(error.to_string())
                } else {
                    AppendError::Unavailable(error.to_string())
                }
            };
            if is_transient(&error) {
                warn!(%error, requests = group.len(), "cannot append now, trying again");
                // Who asks whether appends can be made has the answer.
                group.take_checks().for_each(|check| check.fail(failed(&error)));
                tokio::time::sleep(backoff.next_pause()).await;
                group.take_late(self.timeout).into_iter().for_each(|request| request.fail(failed(&error)));
                if group.is_empty() {
                    return;
                }
            } else if group.len() > 1 {
                // Postgres refuses something that our checks let through. Each request is committed alone, so that only the
                // faulty one fails.
                warn!(%error, requests = group.len(), "cannot append the group, trying its requests one by one");
                for request in group.into_requests() {
                    Box::pin(self.commit_from(Group::of(request), may_be_committed)).await;
                }
                return;
            } else {
                error!(%error, "cannot append");
                for request in group.into_requests() {
                    request.fail(AppendError::Refused(error.to_string()));
                }
                return;
            }
        }
    }

    /// Answers a group that has checks only.
    async fn answer_checks(&mut self, mut group: Group) {
        let lives = match &mut self.connection {
            Some(connection) => connection.ping().await.is_ok(),
            None => false,
        };
        let checked = if lives { Ok(()) } else { self.connect().await };
        match checked {
            Ok(()) => group.answer(Vec::new(), Vec::new()),
            Err(error) => {
                group.take_checks().for_each(|check| check.fail(AppendError::Unavailable(error.to_string())));
            }
        }
    }

    async fn connect(&mut self) -> Result<(), sqlx::Error> {
        self.connection = None;
        self.seen.forget();
        // A lock timeout counts as a failure that passes; between two tries late requests are failed.
        let lock_timeout = format!("{}ms", self.timeout.min(LOCK_TIMEOUT).as_millis().max(1));
        self.connection = Some(connect_beside(&self.pool, &[("lock_timeout", &lock_timeout)]).await?);
        Ok(())
    }

    async fn try_commit(&mut self, group: &Group, lookup: Lookup) -> Result<Committed, CommitError> {
        if self.connection.is_none() {
            self.connect().await?;
        }
        match &mut self.connection {
            Some(connection) => commit(connection, group, lookup, self.partition_events, &mut self.seen).await,
            None => Err(sqlx::Error::WorkerCrashed.into()),
        }
    }
}
