//! The followers of one query.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::{
    event::{LiveBatch, LiveEvent, LiveId, RowChange, SnapshotReason},
    known::{ChangedRow, FoundRow, KnownRows},
    limits::{MAX_WAITING_BYTES_IN_SUM, POSITION_EVERY, REREAD_EVERY},
    queue::Queue,
};
use crate::{
    builds::FollowedBuild,
    metrics,
    queries::{error::ReadError, limits::ReadLimits},
    read_model::query::Followed,
};

/// Somebody who begins to follow.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) table: String,
    pub(super) query: String,
    pub(super) limits: ReadLimits,
    pub(super) joiner: Joiner,
}

/// A follower that has not what it begins with.
#[derive(Debug)]
pub(super) struct Joiner {
    pub(super) queue: Arc<Queue>,
    /// Why it gets all rows, unless it can go on from where it was.
    pub(super) reason: SnapshotReason,
    /// The contents whose rows it has.
    pub(super) from: Option<Uuid>,
    /// Who is told once it has begun, or why it cannot.
    pub(super) started: Option<oneshot::Sender<Result<(), ReadError>>>,
}

impl Joiner {
    /// It cannot begin.
    pub(super) fn refuse(self, error: ReadError) {
        if let Some(started) = self.started {
            let _ = started.send(Err(error));
        }
        self.queue.end(None);
    }

    fn begin(self, batch: &Arc<LiveBatch>) -> Arc<Queue> {
        self.queue.begin(batch);
        if let Some(started) = self.started {
            let _ = started.send(Ok(()));
        }
        self.queue
    }
}

/// What a follower begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// All rows.
    Rows(SnapshotReason),
    /// Those that have changed since these contents.
    Changes(Uuid),
}

impl Beginning {
    fn count(self) {
        let measures = &metrics::of_host().queries;
        match self {
            Self::Rows(SnapshotReason::Begin) => measures.began_to_follow(),
            Self::Rows(SnapshotReason::Gap) => measures.followed_after_a_gap(),
            Self::Rows(SnapshotReason::Slow) => measures.followed_too_slowly(),
            Self::Changes(_) => {}
        }
    }
}

/// The answer to a query.
#[derive(Debug)]
pub(super) enum Read {
    /// Rows with their keys.
    Rows(Vec<(Arc<str>, Arc<str>)>),
    /// A JSON array, whose rows have no keys.
    Answer(Arc<str>),
}

/// The followers of one query, and what they have.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) table: String,
    pub(super) query: String,
    /// The hash of the query.
    pub(super) hash: u64,
    pub(super) limits: ReadLimits,
    pub(super) joining: Vec<Joiner>,
    /// It has to be read: what its followers have is not what `KnownRows` of the last look can be brought up to date from.
    pub(super) is_stale: bool,
    /// Its answer may have changed, and is to be read again when that is due.
    pub(super) is_dirty: bool,
    /// How it is followed; known once it was read on the build.
    pub(super) followed: Option<Followed>,
    /// The values that a statement has for it.
    pub(super) values: usize,
    members: Vec<Arc<Queue>>,
    known: KnownRows,
    /// The hash of the answer that they have.
    answer: Option<u64>,
    hasher: RandomState,
    read_at: Option<Instant>,
    /// Of which contents the followers were told last, and when.
    told: Option<(Uuid, Instant)>,
}

impl Group {
    pub(super) fn new(table: String, query: String, hash: u64, limits: ReadLimits) -> Self {
        Self {
            table,
            query,
            hash,
            limits,
            joining: Vec::new(),
            is_stale: true,
            is_dirty: false,
            followed: None,
            values: 0,
            members: Vec::new(),
            known: KnownRows::default(),
            answer: None,
            hasher: RandomState::default(),
            read_at: None,
            told: None,
        }
    }

    /// Lets go who has left, and lets those begin again who have read too slowly, unless there is no room for what they begin with.
    pub(super) fn look_after_followers(&mut self, is_full: bool) {
        self.members.retain(|queue| !queue.has_left());
        self.joining.retain(|joiner| !joiner.queue.has_left());
        if is_full {
            return;
        }
        for queue in self.members.extract_if(.., |queue| queue.wants_to_begin_again()) {
            self.joining.push(Joiner { queue, reason: SnapshotReason::Slow, from: None, started: None });
        }
    }

    /// Refuses who has not begun, since there is no room for what it would begin with.
    pub(super) fn refuse_joiners(&mut self) {
        for joiner in self.joining.extract_if(.., |joiner| joiner.started.is_some()) {
            let (limit, max) = ("max_waiting_bytes_in_sum", MAX_WAITING_BYTES_IN_SUM);
            joiner.refuse(ReadError::TooManyLiveQueries { limit, max });
        }
    }

    /// Lets all begin again: what they have is of another log.
    pub(super) fn begin_again(&mut self) {
        for queue in self.members.drain(..) {
            self.joining.push(Joiner { queue, reason: SnapshotReason::Gap, from: None, started: None });
        }
        self.is_stale = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.joining.is_empty()
    }

    pub(super) fn followers(&self) -> usize {
        self.members.len() + self.joining.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.known.len()
    }

    /// When its answer is to be read, if it has to be. `is_full` says that there is no room for what somebody begins with: who has not begun is refused
    /// then, and who has begun waits.
    pub(super) fn due(&self, is_full: bool) -> Option<Instant> {
        let is_awaited = self.joining.iter().any(|joiner| !is_full || joiner.started.is_some());
        if is_awaited || self.is_stale && !self.members.is_empty() {
            return Some(Instant::now());
        }
        self.is_dirty.then(|| self.read_at.map_or_else(Instant::now, |at| at + REREAD_EVERY))
    }

    /// Whether it is due.
    pub(super) fn is_due(&self, is_full: bool) -> bool {
        self.due(is_full).is_some_and(|due| due <= Instant::now())
    }

    /// Some of its rows were read; `build` says of what.
    pub(super) fn found(&mut self, build: &FollowedBuild, found: Vec<FoundRow>, sum: &Arc<AtomicUsize>, is_full: bool) {
        let changed = self.known.change(found);
        self.tell(build, changed, sum, is_full);
    }

    /// Its whole answer was read. `since` are the rows that may have changed since a joiner left, as they are now, if that is known.
    pub(super) fn read(
        &mut self,
        build: &FollowedBuild,
        read: &Read,
        since: impl Fn(Uuid) -> Option<Vec<FoundRow>>,
        sum: &Arc<AtomicUsize>,
        is_full: bool,
    ) {
        (self.is_stale, self.is_dirty, self.read_at) = (false, false, Some(Instant::now()));
        match read {
            Read::Rows(rows) => {
                let changed = self.known.replace(rows);
                self.tell(build, changed, sum, is_full);
            }
            Read::Answer(rows) => {
                let hash = self.hasher.hash_one(rows);
                if self.answer.replace(hash) != Some(hash) {
                    let event = LiveEvent::Answer { position: build.checkpoint, rows: Arc::clone(rows) };
                    self.send(build, vec![event], sum, is_full);
                }
            }
        }
        // Those who begin alike share what they begin with.
        let mut batches: Vec<(Beginning, Arc<LiveBatch>)> = Vec::new();
        for joiner in std::mem::take(&mut self.joining) {
            let kept = joiner.from.and_then(&since);
            let beginning = match (&kept, joiner.from) {
                (Some(_), Some(from)) => Beginning::Changes(from),
                _ => Beginning::Rows(joiner.reason),
            };
            let batch = match batches.iter().find(|(of, _)| *of == beginning) {
                Some((_, batch)) => Arc::clone(batch),
                // There is no room any more: it stays until there is, or is refused.
                None if is_full => {
                    self.joining.push(joiner);
                    continue;
                }
                None => {
                    let events = kept
                        .map_or_else(|| self.snapshot(build, joiner.reason, read), |found| self.resumed(build, found));
                    let batch = LiveBatch::new(events, sum);
                    batches.push((beginning, Arc::clone(&batch)));
                    batch
                }
            };
            beginning.count();
            self.members.push(joiner.begin(&batch));
        }
    }

    fn snapshot(&self, build: &FollowedBuild, reason: SnapshotReason, read: &Read) -> Vec<LiveEvent> {
        let position = build.checkpoint;
        let mut events = vec![LiveEvent::Snapshot { reason, position, build: build.number }];
        match read {
            Read::Rows(rows) => events.extend(rows.iter().map(|(key, row)| LiveEvent::Row {
                change: RowChange::Insert,
                position,
                key: Arc::clone(key),
                row: Some(Arc::clone(row)),
            })),
            Read::Answer(rows) => events.push(LiveEvent::Answer { position, rows: Arc::clone(rows) }),
        }
        events.push(self.current(build));
        events
    }

    /// What a follower gets that goes on: which of these rows it has is not known.
    fn resumed(&self, build: &FollowedBuild, found: Vec<FoundRow>) -> Vec<LiveEvent> {
        let rows = found.into_iter().map(|(key, row)| {
            let change = if row.is_some() { RowChange::Update } else { RowChange::Delete };
            LiveEvent::Row { change, position: build.checkpoint, key, row }
        });
        rows.chain([self.current(build)]).collect()
    }

    fn current(&self, build: &FollowedBuild) -> LiveEvent {
        let id = LiveId { contents: build.contents, query: self.hash };
        LiveEvent::Current { position: build.checkpoint, build: build.number, id }
    }

    fn tell(&mut self, build: &FollowedBuild, changed: Vec<ChangedRow>, sum: &Arc<AtomicUsize>, is_full: bool) {
        let position = build.checkpoint;
        metrics::of_host().queries.found_changes(changed.len());
        let events =
            changed.into_iter().map(|(change, key, row)| LiveEvent::Row { change, position, key, row }).collect();
        self.send(build, events, sum, is_full);
    }

    /// Sends events to those who have begun, and says how far they are then.
    fn send(&mut self, build: &FollowedBuild, mut events: Vec<LiveEvent>, sum: &Arc<AtomicUsize>, is_full: bool) {
        if events.is_empty() || self.members.is_empty() {
            return;
        }
        events.push(self.current(build));
        self.told = Some((build.contents, Instant::now()));
        let batch = LiveBatch::new(events, sum);
        self.members.iter().for_each(|queue| queue.push(&batch, is_full));
    }

    /// Its answer is to be read, by tables that may be others.
    pub(super) fn read_again(&mut self) {
        (self.is_stale, self.followed) = (true, None);
    }

    /// Says that another build is read.
    pub(super) fn swapped(&mut self, build: &FollowedBuild, sum: &Arc<AtomicUsize>) {
        self.read_again();
        let event = LiveEvent::Swapped { position: build.checkpoint, build: build.number };
        let batch = LiveBatch::new(vec![event], sum);
        self.members.iter().for_each(|queue| queue.push(&batch, false));
    }

    /// Says how far the followers are, if other rows than theirs have changed for a while: so they can go on from there.
    pub(super) fn tell_position(&mut self, build: &FollowedBuild, sum: &Arc<AtomicUsize>) {
        if self.is_stale || self.is_dirty {
            return;
        }
        let is_due = |at: Instant, every: Duration| at.elapsed() >= every;
        match self.told {
            Some((contents, _)) if contents == build.contents => {}
            Some((_, at)) if !is_due(at, POSITION_EVERY) => {}
            None => self.told = Some((build.contents, Instant::now())),
            Some(_) => {
                self.told = Some((build.contents, Instant::now()));
                let batch = LiveBatch::new(vec![self.current(build)], sum);
                self.members.iter().for_each(|queue| queue.push(&batch, false));
            }
        }
    }

    /// Ends all of them.
    pub(super) fn end(mut self, reason: &str, sum: &Arc<AtomicUsize>, error: impl Fn() -> ReadError) {
        let batch = LiveBatch::new(vec![LiveEvent::End { reason: reason.to_owned() }], sum);
        self.members.iter().for_each(|queue| queue.end(Some(&batch)));
        for joiner in std::mem::take(&mut self.joining) {
            match joiner.started {
                Some(_) => joiner.refuse(error()),
                None => joiner.queue.end(Some(&batch)),
            }
        }
    }
}

/// Without its hub nobody brings its followers anything.
impl Drop for Group {
    fn drop(&mut self) {
        self.members.iter().for_each(|queue| queue.end(None));
    }
}
