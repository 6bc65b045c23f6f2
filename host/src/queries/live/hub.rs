//! One task for all who follow rows of a projection on this host: it looks once for all of them.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::{Executor as _, PgConnection};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, warn};

use super::{
    event::LiveId,
    group::{Group, Join},
    limits::{MAX_CHANGED_ROWS, MAX_LIVE_QUERIES},
    registry::LiveQueries,
};
use crate::{
    builds::{ActiveBuild, CommitsHere, FollowedBuild, changes_between, followed_build, say_followed},
    event_log::Position,
    metrics,
    postgres::{ANSWER_TIMEOUT, Backoff, is_transient, within},
    queries::{Queries, error::ReadError, running},
    read_model::{Identifier, query::Followed},
};

/// How often the hub looks for commits of other hosts, and for a swap. Commits of this host wake it.
const POLL: Duration = Duration::from_millis(100);
/// The same while this host works on the build.
const POLL_WORKED_HERE: Duration = Duration::from_millis(250);
/// How often a build is said to be followed. It counts as that for longer.
const SAY_FOLLOWED_EVERY: Duration = Duration::from_secs(20);
/// How long a look waits until it may read.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// The pauses while Postgres fails.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// The pause before a look that is made again at once.
const PAUSE_AGAIN: Duration = Duration::from_millis(2);

/// Why a look was not finished.
pub(super) enum Unfinished {
    /// It is to be made again at once: a query has ended, or another build is active.
    Again,
    /// The same, and the rest of an answer is not read: the session is closed.
    Cut,
    /// It is to be made again later.
    Later(ReadError),
}

impl From<sqlx::Error> for Unfinished {
    fn from(error: sqlx::Error) -> Self {
        Self::Later(error.into())
    }
}

/// The task, and what it knows.
pub(super) struct Hub {
    pub(super) queries: Queries,
    pub(super) live: LiveQueries,
    pub(super) projection: Identifier,
    /// Not more than there may be followers: each has been let in by the door of the host, and waits for its answer.
    joins: mpsc::UnboundedReceiver<Join>,
    pub(super) groups: Vec<Group>,
    /// The index of the one that is read next, if it has to be.
    pub(super) next: usize,
    /// The build that was read last.
    pub(super) active: Option<Arc<ActiveBuild>>,
    /// As it was then.
    pub(super) seen: Option<FollowedBuild>,
    /// A commit of this host was heard of.
    is_woken: bool,
    /// How far this host's worker had come when a commit was last looked for that had come since a look.
    heard: Option<Position>,
    said_followed: Option<Instant>,
    /// The followers and the rows that are counted of it.
    counted: (usize, usize),
}

/// What it has counted does not count any more, however it ends.
impl Drop for Hub {
    fn drop(&mut self) {
        self.count(0, 0);
    }
}

impl Hub {
    pub(super) fn new(
        queries: Queries,
        live: LiveQueries,
        projection: Identifier,
        joins: mpsc::UnboundedReceiver<Join>,
    ) -> Self {
        Self {
            queries,
            live,
            projection,
            joins,
            groups: Vec::new(),
            next: 0,
            active: None,
            seen: None,
            is_woken: false,
            heard: None,
            said_followed: None,
            counted: (0, 0),
        }
    }

    /// Looks until nobody follows any more.
    pub(super) async fn run(mut self) {
        let [first, longest] = PAUSES;
        let (mut backoff, mut is_failing) = (Backoff::new(first, longest), false);
        loop {
            while let Ok(join) = self.joins.try_recv() {
                self.admit(join);
            }
            let is_full = self.live.is_full();
            self.groups.iter_mut().for_each(|group| group.look_after_followers(is_full));
            self.groups.retain(|group| !group.is_empty());
            let followers = self.groups.iter().map(Group::followers).sum();
            self.count(followers, self.groups.iter().map(Group::rows).sum());
            if self.groups.is_empty() {
                if self.live.close(&self.projection, &self.joins) {
                    return;
                }
                continue;
            }
            match self.look_if_needed().await {
                Ok(()) => {
                    is_failing = false;
                    backoff.reset();
                }
                Err(Unfinished::Again | Unfinished::Cut) => {
                    tokio::time::sleep(PAUSE_AGAIN).await;
                    continue;
                }
                Err(Unfinished::Later(error)) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        warn!(projection = %self.projection, %error, "cannot read the rows that are followed, trying again");
                    }
                    tokio::time::sleep(backoff.next_pause()).await;
                    continue;
                }
            }
            if let Some(seen) = self.seen {
                self.groups.iter_mut().for_each(|group| group.tell_position(&seen, &self.live.0.waiting_bytes));
                self.say_followed(&seen).await;
            }
            self.wait().await;
        }
    }

    /// Notes how many follow, and how many rows they have.
    fn count(&mut self, followers: usize, rows: usize) {
        let (followers_before, rows_before) = std::mem::replace(&mut self.counted, (followers, rows));
        for (sum, now, before) in
            [(&self.live.0.followers, followers, followers_before), (&self.live.0.rows, rows, rows_before)]
        {
            sum.fetch_add(now, Ordering::Relaxed);
            sum.fetch_sub(before, Ordering::Relaxed);
        }
    }

    fn admit(&mut self, Join { table, query, limits, joiner }: Join) {
        let is_same = |group: &&mut Group| group.table == table && group.query == query;
        if let Some(group) = self.groups.iter_mut().find(is_same) {
            group.joining.push(joiner);
            return;
        }
        if self.groups.len() >= MAX_LIVE_QUERIES {
            return joiner.refuse(ReadError::TooManyLiveQueries { limit: "max_live_queries", max: MAX_LIVE_QUERIES });
        }
        let hash = LiveId::query(&self.projection, &table, &query);
        let mut group = Group::new(table, query, hash, limits);
        group.joining.push(joiner);
        self.groups.push(group);
    }

    async fn say_followed(&mut self, seen: &FollowedBuild) {
        if self.said_followed.is_some_and(|at| at.elapsed() < SAY_FOLLOWED_EVERY) {
            return;
        }
        match say_followed(&self.queries.pool, seen.build).await {
            Ok(()) => self.said_followed = Some(Instant::now()),
            // Until it is said, commits note nothing, and the queries are read again after each.
            Err(error) => debug!(projection = %self.projection, %error, "cannot say that a build is followed"),
        }
    }

    /// Waits until there may be something to look at.
    async fn wait(&mut self) {
        let mut committed = self.queries.committed.clone();
        let build = self.seen.map(|seen| seen.build);
        let checkpoint_here = |commits: &CommitsHere| build.and_then(|build| commits.checkpoint(build));
        let here = checkpoint_here(&committed.borrow_and_update());
        let poll = if here.is_some() { POLL_WORKED_HERE } else { POLL };
        let is_full = self.live.is_full();
        let due = self.groups.iter().filter_map(|group| group.due(is_full)).min();
        let until = due.into_iter().chain([Instant::now() + poll]).min().unwrap_or_else(Instant::now);
        // A commit may have come since the look. It is looked for once: a restored log may not have it any more.
        let is_later = here.is_some_and(|here| self.seen.is_some_and(|seen| here > seen.checkpoint));
        if is_later && std::mem::replace(&mut self.heard, here) != here {
            self.is_woken = true;
            return;
        }
        let mut is_committing = true;
        loop {
            tokio::select! {
                join = self.joins.recv() => {
                    if let Some(join) = join {
                        self.admit(join);
                    }
                    return;
                }
                changed = committed.changed(), if is_committing => {
                    is_committing = changed.is_ok();
                    if checkpoint_here(&committed.borrow()) != here {
                        self.is_woken = true;
                        return;
                    }
                }
                () = sleep_until(until) => return,
            }
        }
    }

    async fn look_if_needed(&mut self) -> Result<(), Unfinished> {
        let is_full = self.live.is_full();
        let is_due = self.groups.iter().any(|group| group.is_due(is_full));
        if !is_due && !std::mem::take(&mut self.is_woken) {
            let peek = followed_build(&self.queries.pool, &self.projection);
            let found = within(ANSWER_TIMEOUT, "the active build of live queries", peek).await?;
            let same = |found: FollowedBuild| {
                self.seen.is_some_and(|seen| seen.build == found.build && seen.contents == found.contents)
            };
            if found.flatten().is_some_and(same) {
                return Ok(());
            }
        }
        self.is_woken = false;
        let turn = timeout(TURN_TIMEOUT, self.queries.slots.take(&self.projection)).await;
        let Ok(Ok(slot)) = turn else {
            return Err(Unfinished::Later(ReadError::TooMany(self.projection.clone())));
        };
        let mut running = running::begin(&self.queries.sessions, &self.queries.pool, &Arc::new(slot)).await?;
        let looked = self.look(running.connection()).await;
        let is_over = match &looked {
            Err(Unfinished::Later(ReadError::Postgres(error))) => !is_transient(error),
            Err(Unfinished::Cut) => false,
            _ => true,
        };
        // Otherwise the session is not used again.
        if is_over
            && within(ANSWER_TIMEOUT, "the end of a look", running.connection().execute("ROLLBACK")).await.is_ok()
        {
            running::finish(running);
        }
        self.live.0.looks.fetch_add(1, Ordering::Relaxed);
        metrics::of_host().queries.looked_for_followers();
        looked
    }

    /// Looks at the build, at what has changed, and at what has to be read again.
    async fn look(&mut self, connection: &mut PgConnection) -> Result<(), Unfinished> {
        let looking = async {
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            followed_build(&mut *connection, &self.projection).await
        };
        let found = within(ANSWER_TIMEOUT, "the active build of live queries", looking).await?;
        let build = match found {
            Some(Some(build)) => build,
            Some(None) => return self.end_all("no build of the projection is active any more").await,
            None => return self.end_all("the projection was deleted").await,
        };
        let active = self.find_active(&build).await?;
        // A swap goes to no earlier position, so the log was restored.
        if self.seen.is_some_and(|seen| build.checkpoint < seen.checkpoint) {
            self.groups.iter_mut().for_each(Group::begin_again);
        }
        let before = self.seen.filter(|seen| seen.build == build.build);
        let changes = match before {
            Some(seen) => {
                let contents = [seen.contents, build.contents];
                let reading = changes_between(connection, build.build, contents, MAX_CHANGED_ROWS);
                within(ANSWER_TIMEOUT, "the rows that have changed", reading).await?
            }
            None => None,
        };
        self.note(before, &build, changes.is_some());
        if let Some(changes) = changes.filter(|_| before.is_some_and(|seen| seen.contents != build.contents)) {
            self.read_changes(connection, &active, &build, changes).await?;
        }
        self.seen = Some(build);
        self.read_due(connection, &active, &build).await
    }

    /// The tables of the build; tells the followers if it is another one.
    async fn find_active(&mut self, build: &FollowedBuild) -> Result<Arc<ActiveBuild>, Unfinished> {
        let remembered = self.queries.active_builds.remembered(&self.projection);
        if remembered.is_none_or(|active| active.build != build.build) {
            self.queries.active_builds.forget(&self.projection);
        }
        let active = within(ANSWER_TIMEOUT, "the active build", self.queries.active(&self.projection)).await;
        let active = active.map_err(Unfinished::Later)?;
        if active.build != build.build {
            // Swapped again since the snapshot.
            return Err(Unfinished::Again);
        }
        match self.active.replace(Arc::clone(&active)) {
            Some(before) if before.build != active.build => {
                self.groups.iter_mut().for_each(|group| group.swapped(build, &self.live.0.waiting_bytes));
                self.said_followed = None;
            }
            // Looked up again: its tables may be others, if the database was restored.
            Some(before) if !Arc::ptr_eq(&before, &active) => self.groups.iter_mut().for_each(Group::read_again),
            _ => {}
        }
        Ok(active)
    }

    /// Notes which queries have to be read again since the look before.
    fn note(&mut self, before: Option<FollowedBuild>, build: &FollowedBuild, is_noted: bool) {
        if before.is_some_and(|seen| seen.contents == build.contents) {
            return;
        }
        for group in &mut self.groups {
            match group.followed {
                Some(Followed::ByChangedRows) if is_noted => {}
                // Read again when it is due.
                Some(_) if before.is_some() => group.is_dirty = true,
                _ => group.is_stale = true,
            }
        }
    }
}
