//! The events that were appended since the conditions of a group were looked up.

use std::collections::HashMap;

use super::{
    AppendError,
    condition::{LookedUp, MOST_LEFT, Match},
};
use crate::{
    event_log::{
        event::{Position, RecordedEvent},
        event_query::QueryItem,
        name::{EventType, StreamName, Tag},
    },
    postgres::PgTimestamp,
};

/// An event, as far as conditions look at it.
#[derive(Debug)]
pub(super) struct NewerEvent {
    pub(super) position: Position,
    pub(super) stream: StreamName,
    pub(super) event_type: EventType,
    pub(super) tags: Vec<Tag>,
}

impl NewerEvent {
    pub(super) fn of(event: &RecordedEvent) -> Self {
        let RecordedEvent { position, stream, event_type, tags, .. } = event;
        Self { position: *position, stream: stream.clone(), event_type: event_type.clone(), tags: tags.clone() }
    }
}

/// Newer events in the order of their positions, found by their types and tags.
#[derive(Debug)]
pub(super) struct NewerEvents {
    /// The newest event that is committed.
    head: Position,
    /// The stamps of events up to which conditions were looked up.
    stamps: HashMap<Position, PgTimestamp>,
    events: Vec<NewerEvent>,
    /// Indexes of `events`, ascending.
    by_type: HashMap<EventType, Vec<usize>>,
    by_tag: HashMap<Tag, Vec<usize>>,
}

impl NewerEvents {
    /// No events, in a log that ends at `head` and has these stamps.
    pub(super) fn none(head: Position, stamps: HashMap<Position, PgTimestamp>) -> Self {
        Self { head, stamps, events: Vec::new(), by_type: HashMap::new(), by_tag: HashMap::new() }
    }

    /// After which position events are needed to check a condition; `None` if it needs none.
    pub(super) fn needed_after(&self, condition: &LookedUp) -> Option<Position> {
        if condition.refused.is_some() {
            return None;
        }
        if !self.is_of_this_log(condition) {
            return Some(condition.after).filter(|after| self.is_near(*after));
        }
        let is_needed = condition.found.is_none() && condition.searched < self.head && self.is_near(condition.searched);
        is_needed.then_some(condition.searched)
    }

    fn is_near(&self, position: Position) -> bool {
        self.head.0.saturating_sub(position.0) <= MOST_LEFT
    }

    /// Whether the log that the condition was looked up in is this one.
    fn is_of_this_log(&self, condition: &LookedUp) -> bool {
        condition.stamp.is_none_or(|stamp| self.stamps.get(&condition.searched) == Some(&stamp))
    }

    /// Adds an event that comes after all others.
    pub(super) fn push(&mut self, event: NewerEvent) {
        let index = self.events.len();
        self.by_type.entry(event.event_type.clone()).or_default().push(index);
        for tag in &event.tags {
            self.by_tag.entry(tag.clone()).or_default().push(index);
        }
        self.events.push(event);
    }

    /// Checks a condition.
    pub(super) fn check(&self, condition: &LookedUp) -> Result<(), AppendError> {
        if let Some(error) = &condition.refused {
            return Err(error.clone());
        }
        if condition.after > self.head {
            return Err(AppendError::ConditionBeyondHead { after: condition.after, head: self.head });
        }
        let (searched, found) = match self.is_of_this_log(condition) {
            true => (condition.searched, condition.found.clone()),
            false => (condition.after, None),
        };
        if let Some(found) = found {
            return Err(found.into());
        }
        if !self.is_near(searched) {
            return Err(AppendError::LookUpAgain);
        }
        self.first_match(condition, searched).map_or(Ok(()), |found| Err(found.into()))
    }

    /// The first event after `searched` that matches.
    fn first_match(&self, condition: &LookedUp, searched: Position) -> Option<Match> {
        let first = condition.query.items.iter().filter_map(|item| self.first(item, searched)).min()?;
        let NewerEvent { position, stream, event_type, .. } = &self.events[first];
        Some(Match { position: *position, stream: stream.clone(), event_type: event_type.clone() })
    }

    /// The index of the first event after `after` that matches an item.
    fn first(&self, item: &QueryItem, after: Position) -> Option<usize> {
        let newer = |indexes: &[usize]| indexes.partition_point(|index| self.events[*index].position <= after);
        if item.is_all() {
            let first = self.events.partition_point(|event| event.position <= after);
            return (first < self.events.len()).then_some(first);
        }
        if item.tags.is_empty() {
            let of_type = |name: &EventType| {
                let indexes = self.by_type.get(name)?;
                indexes.get(newer(indexes)).copied()
            };
            return item.types.iter().filter_map(of_type).min();
        }
        // The rarest tag has the fewest events to look at; a tag that no event has rules out all.
        let of_tags = item.tags.iter().map(|tag| self.by_tag.get(tag)).collect::<Option<Vec<_>>>()?;
        let rarest = of_tags.into_iter().min_by_key(|indexes| indexes.len())?;
        let matches = |index: &&usize| {
            let NewerEvent { event_type, tags, .. } = &self.events[**index];
            item.matches(event_type, tags)
        };
        rarest[newer(rarest)..].iter().find(matches).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event_log::event_query::{AppendCondition, EventQuery};

    fn types(names: &[u8]) -> Vec<EventType> {
        names.iter().map(|name| EventType::new(format!("T{name}")).unwrap()).collect()
    }

    fn tags(names: &[u8]) -> Vec<Tag> {
        names.iter().map(|name| Tag::new(format!("t:{name}")).unwrap()).collect()
    }

    fn looked_up(items: Vec<(Vec<u8>, Vec<u8>)>, searched: u64) -> LookedUp {
        let items = items.into_iter().map(|(of, with)| QueryItem { types: types(&of), tags: tags(&with) }).collect();
        let condition = AppendCondition { fail_if_events_match: EventQuery { items }, after: Some(Position(2)) };
        LookedUp { searched: Position(searched), ..LookedUp::begin(condition) }
    }

    fn found() -> Match {
        Match { position: Position(6), stream: StreamName::new("a-1").unwrap(), event_type: types(&[1]).remove(0) }
    }

    #[test]
    fn what_was_looked_up_counts_in_the_log_that_was_searched_only() {
        let stamp = PgTimestamp(5);
        let condition = LookedUp { found: Some(found()), stamp: Some(stamp), ..looked_up(vec![(vec![1], vec![])], 7) };
        let same = NewerEvents::none(Position(9), HashMap::from([(Position(7), stamp)]));
        assert!(matches!(same.check(&condition), Err(AppendError::ConditionFailed { position: Position(6), .. })));
        assert_eq!(same.needed_after(&condition), None);
        let none_found = LookedUp { found: None, ..condition.clone() };
        assert_eq!(same.needed_after(&none_found), Some(Position(7)));
        // It went back, or back and on again.
        for stamps in [HashMap::new(), HashMap::from([(Position(7), PgTimestamp(6))])] {
            let other = NewerEvents::none(Position(9), stamps);
            assert_eq!(other.needed_after(&condition), Some(Position(2)));
            assert!(other.check(&condition).is_ok());
        }
        let beyond = NewerEvents::none(Position(1), HashMap::new()).check(&condition);
        assert!(matches!(beyond, Err(AppendError::ConditionBeyondHead { after: Position(2), head: Position(1) })));
    }

    #[test]
    fn a_condition_with_too_many_newer_events_is_looked_up_again() {
        let condition = looked_up(vec![(vec![1], vec![])], 7);
        let near = NewerEvents::none(Position(7 + MOST_LEFT), HashMap::new());
        assert_eq!((near.needed_after(&condition), near.check(&condition).is_ok()), (Some(Position(7)), true));
        let far = NewerEvents::none(Position(8 + MOST_LEFT), HashMap::new());
        assert_eq!(far.needed_after(&condition), None);
        assert!(matches!(far.check(&condition), Err(AppendError::LookUpAgain)));
    }

    fn names() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::btree_set(0..4_u8, 0..3).prop_map(|names| names.into_iter().collect())
    }

    proptest! {
        #[test]
        fn the_first_match_is_the_one_that_a_search_of_all_finds(
            events in prop::collection::vec((0..4_u8, names()), 0..12),
            items in prop::collection::vec((names(), names()), 1..4),
            searched in 10..25_u64,
        ) {
            let mut newer = NewerEvents::none(Position(30), HashMap::new());
            for (position, (event_type, with)) in (11..).zip(&events) {
                let stream = StreamName::new("a-1").unwrap();
                let event_type = types(&[*event_type]).remove(0);
                newer.push(NewerEvent { position: Position(position), stream, event_type, tags: tags(with) });
            }
            let condition = looked_up(items, searched);
            let matches = |event: &&NewerEvent| {
                event.position > condition.searched && condition.query.matches(&event.event_type, &event.tags)
            };
            let naive = newer.events.iter().find(matches).map(|event| event.position);
            let found = match newer.check(&condition) {
                Ok(()) => None,
                Err(AppendError::ConditionFailed { position, .. }) => Some(position),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(found, naive);
        }
    }
}
