//! Gathering the requests that wait, and committing them together.
//!
//! There is one connection, and one group at a time is committed; meanwhile the next group gathers in the channel. So the
//! more writers there are, the larger the groups: a single writer waits for no other, a thousand share one commit.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

use super::{
    AppendError,
    commit::{AppendConnection, Committing, Lookup, commit},
    committed::{CommitError, Committed},
    elsewhere::AppendedElsewhere,
    known_end::KnownEnd,
    request::{Group, Request},
    seen_types::SeenTypes,
    statement::Notified,
    stuck_hosts::StuckHosts,
};
use crate::{
    event_log::{head::KnownHead, other_hosts::OtherHosts, settings::EventLogSettings},
    metrics,
    postgres::{Backoff, is_lock_timeout, is_transient},
};

/// A group is closed when it has this many events …
const GROUP_EVENTS: usize = 8192;
/// … or this many bytes.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// How long one try waits for the lock of the head row.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Commits groups, one at a time, on the one connection that it owns.
pub(super) struct Committer {
    pool: PgPool,
    connection: Option<AppendConnection>,
    incoming: mpsc::Receiver<Request>,
    /// A request that did not fit into the group before.
    deferred: Option<Request>,
    /// How many requests the last group had.
    last_group: usize,
    head: KnownHead,
    other_hosts: OtherHosts,
    /// Changes when the database was restored.
    restores: watch::Receiver<u64>,
    settings: EventLogSettings,
    stuck_hosts: StuckHosts,
    known: KnownEnd,
    seen: SeenTypes,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Committer {
    /// A committer of the requests that come in, with its connection.
    pub(super) async fn connected(
        pool: PgPool,
        incoming: mpsc::Receiver<Request>,
        head: KnownHead,
        other_hosts: OtherHosts,
        elsewhere: AppendedElsewhere,
        settings: EventLogSettings,
    ) -> Result<Self, sqlx::Error> {
        let stuck_hosts = StuckHosts::new(pool.clone(), settings.end_stuck_after);
        let mut committer = Self {
            pool,
            connection: None,
            incoming,
            deferred: None,
            last_group: 0,
            restores: head.restores(),
            known: KnownEnd::nothing(head.recent().clone(), elsewhere),
            head,
            other_hosts,
            settings,
            stuck_hosts,
            seen: SeenTypes::default(),
        };
        committer.connect().await?;
        Ok(committer)
    }

    /// Whether a request waits that did not fit into the last group.
    pub(super) fn has_left_some(&self) -> bool {
        self.deferred.is_some()
    }

    /// Whether the last group was one of several requests, so that the next one is likely to be, too.
    pub(super) fn expects_others(&self) -> bool {
        self.last_group > 1
    }

    /// Commits a group of those that wait now, and answers them.
    pub(super) async fn commit_waiting(&mut self) {
        if let Some(group) = self.gather() {
            self.last_group = group.len();
            self.commit(group).await;
        }
    }

    /// Takes the requests that wait, as many as one group has.
    fn gather(&mut self) -> Option<Group> {
        let first = match self.deferred.take() {
            Some(request) => request,
            None => self.incoming.try_recv().ok()?,
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
            let began = Instant::now();
            let error = match self.try_commit(&group, lookup).await {
                Ok(Committed { appended, imported, head }) => {
                    self.head.raise(head);
                    metrics::of_host().append.group_committed(group.len(), began.elapsed());
                    return group.answer(appended, imported);
                }
                Err(CommitError { error, may_be_committed: unknown }) => {
                    may_be_committed |= unknown;
                    error
                }
            };
            self.connection = None;
            let holders = self.stuck_hosts.holders();
            let failed = |error: &sqlx::Error| match &holders {
                _ if may_be_committed => AppendError::Unknown(error.to_string()),
                Some(holders) if is_lock_timeout(error) => AppendError::Locked(holders.clone()),
                _ => AppendError::Unavailable(error.to_string()),
            };
            if is_transient(&error) {
                metrics::of_host().append.retried();
                warn!(%error, lock_holders = holders, requests = group.len(), "cannot append now, trying again");
                // Who asks whether appends can be made has the answer.
                group.take_checks().for_each(|check| check.fail(failed(&error)));
                tokio::time::sleep(backoff.next_pause()).await;
                group
                    .take_late(self.settings.append_timeout)
                    .into_iter()
                    .for_each(|request| request.fail(failed(&error)));
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
        match self.check().await {
            Ok(true) => group.answer(Vec::new(), Vec::new()),
            Ok(false) => group.take_checks().for_each(|check| {
                let reason = "Postgres takes no writes: it is a replica, or default_transaction_read_only is on";
                check.fail(AppendError::Unavailable(reason.to_owned()));
            }),
            Err(error) => {
                group.take_checks().for_each(|check| check.fail(AppendError::Unavailable(error.to_string())));
            }
        }
    }

    /// Whether Postgres takes writes now.
    async fn check(&mut self) -> Result<bool, sqlx::Error> {
        if let Some(connection) = &mut self.connection
            && let Ok(true) = connection.takes_writes().await
        {
            return Ok(true);
        }
        self.connect().await?.takes_writes().await
    }

    async fn connect(&mut self) -> Result<&mut AppendConnection, sqlx::Error> {
        self.connection = None;
        self.forget();
        // A lock timeout counts as a failure that passes; between two tries late requests are failed.
        let lock_timeout = self.settings.append_timeout.min(LOCK_TIMEOUT);
        Ok(self.connection.insert(AppendConnection::open(&self.pool, lock_timeout).await?))
    }

    /// Forgets what is known: the log may be another one.
    fn forget(&mut self) {
        self.known.forget();
        self.seen.forget();
    }

    async fn try_commit(&mut self, group: &Group, lookup: Lookup) -> Result<Committed, CommitError> {
        if self.restores.has_changed().unwrap_or_default() {
            self.restores.mark_unchanged();
            self.forget();
        }
        if self.connection.is_none() {
            self.connect().await?;
        }
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::WorkerCrashed.into()) };
        self.known.catch_up();
        let notified = if self.other_hosts.may_listen() { Notified::OtherHosts } else { Notified::Nobody };
        let how = Committing {
            lookup,
            notified,
            partition_events: self.settings.partition_events,
            answer_timeout: self.settings.answer_timeout,
            known: &mut self.known,
            seen: &mut self.seen,
            stuck_hosts: &mut self.stuck_hosts,
        };
        commit(connection, group, how).await
    }
}
