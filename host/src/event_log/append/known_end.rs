//! What this host knows of the end of the log without asking Postgres.
//!
//! It holds as long as nobody else appends: what is written with it names the head that this host left, and writes nothing at another one.

use std::{collections::HashMap, num::NonZeroUsize};

use lru::LruCache;

use super::{
    condition::LookedUp,
    elsewhere::{AppendedElsewhere, Elsewhere},
    head::Head,
    newer::{NewerEvent, NewerEvents},
    noted_blocks::{NewBlocks, NotedBlocks},
    plan::AppendPlan,
};
use crate::{
    event_log::{
        event::{Position, StreamVersion},
        name::StreamName,
        recent::RecentEvents,
    },
    metrics::{self, EventCounter},
    postgres::PgTimestamp,
};

/// Streams whose versions are remembered: some megabytes.
const STREAMS: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// What is known of the end of the log.
#[derive(Debug)]
pub(super) struct KnownEnd {
    head: Option<Head>,
    /// When this host last had the lock, others had appended since the time before.
    others_append: bool,
    versions: LruCache<StreamName, StreamVersion>,
    noted: NotedBlocks,
    recent: RecentEvents,
    elsewhere: AppendedElsewhere,
    /// Counts, for measures, what this host has appended.
    counter: EventCounter,
}

impl KnownEnd {
    /// Nothing is known. The newest events will be in `recent`, and what this host appends in another way is told by `elsewhere`.
    pub(super) fn nothing(recent: RecentEvents, elsewhere: AppendedElsewhere) -> Self {
        let (versions, noted, counter) = (LruCache::new(STREAMS), NotedBlocks::default(), EventCounter::default());
        Self { head: None, others_append: false, versions, noted, recent, elsewhere, counter }
    }

    /// Hears what this host has appended in another way since.
    pub(super) fn catch_up(&mut self) {
        while let Some(Elsewhere { after, versions, .. }) = self.head.and_then(|head| self.elsewhere.next(head)) {
            self.head = Some(after);
            for (stream, version) in versions {
                self.versions.put(stream, version);
            }
        }
    }

    /// Forgets all: the log may be another one.
    pub(super) fn forget(&mut self) {
        self.recent.forget();
        (self.head, self.others_append) = (None, false);
        self.versions.clear();
        self.noted = NotedBlocks::default();
    }

    /// The head, if it is likely that nobody has appended since.
    pub(super) fn head(&self) -> Option<Head> {
        self.head.filter(|_| !self.others_append)
    }

    /// This host has the lock, and finds this head.
    pub(super) fn found(&mut self, head: Head) {
        self.catch_up();
        let others_append = self.head.is_some_and(|known| !known.is_same(head));
        if others_append {
            self.forget();
        }
        (self.head, self.others_append) = (Some(head), others_append);
    }

    /// What of the planned events may not be in `gnomon.event_blocks` yet.
    pub(super) fn new_blocks<'w>(&self, plan: &AppendPlan<'w>) -> NewBlocks<'w> {
        self.noted.unnoted(&plan.events)
    }

    /// What was planned at the head that is known is committed, together with these blocks, and this is the new head.
    pub(super) fn advance(&mut self, plan: &AppendPlan<'_>, blocks: NewBlocks<'_>, head: Head) {
        self.head = Some(head);
        self.noted.add(blocks);
        let types = plan.events.iter().map(|event| event.event.event_type.as_str());
        self.counter.committed(&metrics::of_host().append, types);
        for (stream, version) in plan.versions() {
            self.versions.put(stream.clone(), version);
        }
        // Builds read many events faster than they are copied here.
        if plan.is_large() {
            self.recent.forget();
        } else {
            self.recent.add(plan.events.iter().map(|event| event.recorded(head.stamp)));
        }
    }

    /// The version of a stream, if it is known.
    pub(super) fn version(&mut self, stream: &StreamName) -> Option<StreamVersion> {
        self.versions.get(stream).copied()
    }

    /// What conditions are checked against at the head that is known; `None` if there are none, or one needs an event that is not
    /// remembered, or was looked up in another log.
    pub(super) fn newer(&self, head: Head, conditions: &[&LookedUp]) -> Option<NewerEvents> {
        let mut stamps = HashMap::new();
        for condition in conditions {
            if let Some(stamp) = condition.stamp {
                self.stamp(head, condition.searched).filter(|known| *known == stamp)?;
                stamps.insert(condition.searched, stamp);
            }
        }
        let searched = conditions.iter().map(|condition| condition.searched).min()?;
        let mut newer = NewerEvents::none(head.position, stamps);
        if searched < head.position {
            self.recent.after(searched, head.position, |event| newer.push(NewerEvent::of(event)))?;
        }
        Some(newer)
    }

    /// The stamp of the event at a position.
    fn stamp(&self, head: Head, position: Position) -> Option<PgTimestamp> {
        if position == head.position { Some(head.stamp) } else { self.recent.stamp(position, head.position) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{
        AppendCondition, EventQuery,
        append::{Append, ExpectedVersion, request::Appends},
        tests::{event, stream},
    };

    fn head(position: u64) -> Head {
        let position = Position(position);
        Head { position, stamp: PgTimestamp(i64::try_from(position.0).unwrap()), partitioned_to: Position(100_000) }
    }

    /// Appends of one event each, up to a position.
    fn advance(known: &mut KnownEnd, to: u64) {
        while known.head.unwrap().position.0 < to {
            let from = known.head.unwrap().position;
            let append =
                Append { stream: stream("a-1"), expected: ExpectedVersion::Any, events: vec![event("Happened")] };
            let request = Appends { appends: [append].into(), condition: None };
            let versions = known.version(&stream("a-1")).map(|version| (stream("a-1"), version));
            let mut plan = AppendPlan::new(from, versions, []);
            plan.append(&request).unwrap();
            let blocks = known.new_blocks(&plan);
            known.advance(&plan, blocks, head(from.0 + 1));
        }
    }

    fn looked_up(searched: u64, stamp: Option<u64>) -> LookedUp {
        let condition = AppendCondition { fail_if_events_match: EventQuery { items: Vec::new() }, after: None };
        let stamp = stamp.map(|stamp| PgTimestamp(i64::try_from(stamp).unwrap()));
        LookedUp { searched: Position(searched), stamp, ..LookedUp::begin(condition) }
    }

    #[test]
    fn what_others_have_appended_is_not_known() {
        let mut known = KnownEnd::nothing(RecentEvents::default(), AppendedElsewhere::default());
        assert_eq!(known.head(), None);
        known.found(head(5));
        advance(&mut known, 7);
        assert_eq!((known.head(), known.version(&stream("a-1"))), (Some(head(7)), Some(StreamVersion(2))));
        known.found(head(7));
        assert_eq!(known.head(), Some(head(7)));
        // Somebody else was here, and may come again.
        known.found(head(9));
        assert_eq!((known.head(), known.version(&stream("a-1"))), (None, None));
        advance(&mut known, 10);
        assert_eq!(known.head(), None);
        known.found(head(10));
        assert_eq!(known.head(), Some(head(10)));
        // A log that was restored and has come to the same position again.
        known.found(Head { stamp: PgTimestamp(77), ..head(10) });
        assert_eq!(known.head(), None);
    }

    #[test]
    fn conditions_are_checked_against_what_is_remembered() {
        let mut known = KnownEnd::nothing(RecentEvents::default(), AppendedElsewhere::default());
        known.found(head(10));
        let at_the_head = looked_up(10, Some(10));
        assert!(known.newer(head(10), &[&at_the_head]).is_some());
        assert!(known.newer(head(10), &[]).is_none());
        assert!(known.newer(head(10), &[&looked_up(9, None)]).is_none());
        advance(&mut known, 15);
        let newer = |conditions: &[&LookedUp]| known.newer(head(15), conditions);
        let all: Vec<_> = (0..=15).map(|searched| newer(&[&looked_up(searched, None)]).is_some()).collect();
        assert_eq!(all.iter().position(|is_known| *is_known), Some(10));
        // What was searched was this log, or another one.
        for (searched, stamp, is_known) in
            [(12, 12, true), (12, 13, false), (15, 15, true), (15, 16, false), (16, 16, false)]
        {
            assert_eq!(newer(&[&looked_up(searched, Some(stamp))]).is_some(), is_known, "{searched} {stamp}");
        }
        assert!(newer(&[&at_the_head]).is_none());
        assert!(newer(&[&looked_up(11, None), &looked_up(9, None)]).is_none());
    }
}
