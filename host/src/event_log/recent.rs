//! The newest events as this host has appended them, so that its builds need not read them from Postgres.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
};

use super::{
    event::{Position, RecordedEvent},
    filter::Filter,
    read::{LogPage, PageSize},
};
use crate::postgres::PgTimestamp;

/// How many are kept, and how many bytes of them: a build that is further behind reads from Postgres, faster for each event.
const MAX_EVENTS: usize = 4096;
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The newest events, one after the other. Clones are handles on one.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentEvents(Arc<RwLock<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    events: VecDeque<RecordedEvent>,
    bytes: usize,
}

impl RecentEvents {
    /// Adds events that were committed, in the order of their positions. Others may have appended before them.
    pub(super) fn add(&self, committed: impl Iterator<Item = RecordedEvent>) {
        let mut recent = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for event in committed {
            if recent.events.back().is_some_and(|last| last.position.next() != event.position) {
                *recent = Recent::default();
            }
            recent.bytes += event.bytes();
            recent.events.push_back(event);
            while recent.events.len() > MAX_EVENTS || recent.bytes > MAX_BYTES {
                let Some(oldest) = recent.events.pop_front() else { break };
                recent.bytes -= oldest.bytes();
            }
        }
    }

    /// Forgets all: the log may be another one.
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Recent::default();
    }

    /// Visits the events after `after` in a log that ends at `head`; `None` if they are not all here.
    pub(super) fn after(&self, after: Position, head: Position, mut visit: impl FnMut(&RecordedEvent)) -> Option<()> {
        let recent = self.0.read().unwrap_or_else(PoisonError::into_inner);
        recent.after(after, head)?.for_each(&mut visit);
        Some(())
    }

    /// The stamp of the event at a position in a log that ends at `head`, if it is here.
    pub(super) fn stamp(&self, position: Position, head: Position) -> Option<PgTimestamp> {
        let recent = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let event = recent.after(Position(position.0.checked_sub(1)?), head)?.next()?;
        Some(PgTimestamp(event.recorded_at.0))
    }

    /// A page of the events after `after` in a log that ends at `head`; `None` if they are not all here.
    pub(super) fn page(&self, after: Position, head: Position, size: PageSize, filter: &Filter) -> Option<LogPage> {
        let recent = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (mut events, mut bytes, mut next) = (Vec::new(), 0, after);
        for event in recent.after(after, head)? {
            next = event.position;
            if filter.admits(event) {
                bytes += event.bytes();
                events.push(event.clone());
                if events.len() >= size.events || bytes >= size.bytes {
                    break;
                }
            }
        }
        Some(LogPage { events, next: Some(next), head })
    }
}

impl Recent {
    /// The events after `after` in a log that ends at `head`; `None` if they are not all here.
    fn after(&self, after: Position, head: Position) -> Option<impl Iterator<Item = &RecordedEvent>> {
        let (first, last) = (self.events.front()?.position, self.events.back()?.position);
        let skipped = usize::try_from(after.next().0.checked_sub(first.0)?).ok()?;
        (last == head).then(|| self.events.iter().skip(skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_log::{
        NameFilter,
        tests::{event, stream},
    };

    fn recorded(position: u64, event_type: &str) -> RecordedEvent {
        let (new, at) = (event(event_type), gnomon_values::Instant(0));
        RecordedEvent {
            position: Position(position),
            stream: stream("a-1"),
            version: position.into(),
            id: new.id.uuid(),
            event_type: new.event_type,
            schema_version: new.schema_version,
            time: at,
            recorded_at: at,
            data: new.data,
            metadata: None,
            tags: Vec::new(),
            is_personal: false,
        }
    }

    fn positions(page: Option<LogPage>) -> Option<(Vec<u64>, u64)> {
        let page = page?;
        Some((page.events.iter().map(|event| event.position.0).collect(), page.next?.0))
    }

    #[test]
    fn a_page_is_of_what_is_here_whole() {
        let recent = RecentEvents::default();
        let page = |after, head, events: usize| {
            positions(recent.page(Position(after), Position(head), events.into(), &Filter::default()))
        };
        assert_eq!(page(0, 0, 9), None);
        recent.add((5..=7).map(|position| recorded(position, "A")));
        assert_eq!(page(4, 7, 9), Some((vec![5, 6, 7], 7)));
        assert_eq!(page(5, 7, 1), Some((vec![6], 6)));
        assert_eq!(page(7, 7, 9), Some((vec![], 7)));
        // One before them, and one that another host has appended.
        assert_eq!((page(3, 7, 9), page(4, 8, 9)), (None, None));
        recent.add([recorded(9, "A")].into_iter());
        assert_eq!((page(7, 9, 9), page(8, 9, 9)), (None, Some((vec![9], 9))));
        recent.forget();
        assert_eq!(page(8, 9, 9), None);
    }

    #[test]
    fn what_a_filter_does_not_let_through_is_passed_over() {
        let recent = RecentEvents::default();
        recent.add((1..=6).map(|position| recorded(position, if position % 2 == 0 { "Even" } else { "Odd" })));
        let filter = Filter { types: NameFilter::only(["Even"]), ..Filter::default() };
        let page = |after, events: usize| positions(recent.page(Position(after), Position(6), events.into(), &filter));
        assert_eq!(page(0, 2), Some((vec![2, 4], 4)));
        assert_eq!(page(4, 2), Some((vec![6], 6)));
        let other = Filter { categories: NameFilter::only(["b"]), ..Filter::default() };
        assert_eq!(positions(recent.page(Position(0), Position(6), 9.into(), &other)), Some((vec![], 6)));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let recent = RecentEvents::default();
        recent.add((1..=3 * MAX_EVENTS as u64).map(|position| recorded(position, "A")));
        let kept = recent.0.read().unwrap();
        assert_eq!(kept.events.len(), MAX_EVENTS);
        assert_eq!(kept.bytes, kept.events.iter().map(RecordedEvent::bytes).sum::<usize>());
    }
}
