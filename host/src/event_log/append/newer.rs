//! The events that were appended since the conditions of a group were looked up.

use std::collections::HashMap;

use super::{
    AppendError,
    condition::{LookedUp, Match},
};
use crate::event_log::{
    event::Position,
    event_query::QueryItem,
    name::{EventType, StreamName, Tag},
};

/// An event, as far as conditions look at it.
#[derive(Debug)]
pub(super) struct NewerEvent {
    pub(super) position: Position,
    pub(super) stream: StreamName,
    pub(super) event_type: EventType,
    pub(super) tags: Vec<Tag>,
}

/// What the conditions of a group ask for in the events that are newer than what they were looked up in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'g> {
    /// Events are newer if they come after this position.
    pub(super) after: Position,
    /// Whether some condition asks for all events.
    pub(super) all: bool,
    /// Types of events that are asked for, whatever their tags are.
    pub(super) types: Vec<&'g str>,
    /// Tags that are asked for.
    pub(super) tags: Vec<&'g str>,
}

impl<'g> Wanted<'g> {
    /// What some conditions ask for in a log that ends at `head`; `None` if all are decided, or nothing is newer.
    pub(super) fn by(conditions: &[&'g LookedUp], head: Position) -> Option<Self> {
        let is_undecided = |condition: &&&LookedUp| {
            let (searched, found) = condition.known_at(head);
            found.is_none() && searched < head
        };
        let undecided: Vec<&LookedUp> = conditions.iter().filter(is_undecided).copied().collect();
        let after = undecided.iter().map(|condition| condition.known_at(head).0).min()?;
        let items = || undecided.iter().flat_map(|condition| &condition.query.items);
        let untagged = items().filter(|item| item.tags.is_empty());
        let mut types: Vec<&str> = untagged.flat_map(|item| &item.types).map(EventType::as_str).collect();
        let mut tags: Vec<&str> = items().flat_map(|item| &item.tags).map(Tag::as_str).collect();
        for names in [&mut types, &mut tags] {
            names.sort_unstable();
            names.dedup();
        }
        Some(Self { after, all: items().any(QueryItem::is_all), types, tags })
    }
}

/// Newer events in the order of their positions, found by their types and tags.
#[derive(Debug)]
pub(super) struct NewerEvents {
    /// The newest event that is committed.
    head: Position,
    events: Vec<NewerEvent>,
    /// Indexes of `events`, ascending.
    by_type: HashMap<EventType, Vec<usize>>,
    by_tag: HashMap<Tag, Vec<usize>>,
}

impl NewerEvents {
    /// No events, in a log that ends at `head`.
    pub(super) fn none(head: Position) -> Self {
        Self { head, events: Vec::new(), by_type: HashMap::new(), by_tag: HashMap::new() }
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
        if condition.after > self.head {
            return Err(AppendError::ConditionBeyondHead { after: condition.after, head: self.head });
        }
        let (searched, found) = condition.known_at(self.head);
        found.cloned().or_else(|| self.first_match(condition, searched)).map_or(Ok(()), |found| Err(found.into()))
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
    use crate::event_log::event_query::EventQuery;

    fn types(names: &[u8]) -> Vec<EventType> {
        names.iter().map(|name| EventType::new(format!("T{name}")).unwrap()).collect()
    }

    fn tags(names: &[u8]) -> Vec<Tag> {
        names.iter().map(|name| Tag::new(format!("t:{name}")).unwrap()).collect()
    }

    fn looked_up(items: Vec<(Vec<u8>, Vec<u8>)>, searched: u64) -> LookedUp {
        let items = items.into_iter().map(|(of, with)| QueryItem { types: types(&of), tags: tags(&with) }).collect();
        LookedUp { query: EventQuery { items }, after: Position(2), searched: Position(searched), found: None }
    }

    #[test]
    fn what_conditions_ask_for_is_brought_together() {
        let one = looked_up(vec![(vec![1], vec![1, 2]), (vec![2], vec![])], 7);
        let other = looked_up(vec![(vec![], vec![2, 3])], 5);
        let found = Match {
            position: Position(1),
            stream: StreamName::new("a-1").unwrap(),
            event_type: types(&[1])[0].clone(),
        };
        let decided = LookedUp { found: Some(found), ..looked_up(vec![(vec![], vec![])], 1) };
        let wanted = Wanted::by(&[&one, &other, &decided], Position(8)).unwrap();
        let expected = Wanted { after: Position(5), all: false, types: vec!["T2"], tags: vec!["t:1", "t:2", "t:3"] };
        assert_eq!(wanted, expected);
        assert_eq!(Wanted::by(&[&decided], Position(8)), None);
        assert_eq!(Wanted::by(&[&one], Position(7)), None, "nothing is newer");
        assert!(Wanted::by(&[&looked_up(vec![(vec![], vec![])], 1)], Position(8)).unwrap().all);
    }

    #[test]
    fn what_was_found_in_a_log_that_went_back_does_not_count() {
        let found = Match {
            position: Position(6),
            stream: StreamName::new("a-1").unwrap(),
            event_type: types(&[1])[0].clone(),
        };
        let condition = LookedUp { found: Some(found), ..looked_up(vec![(vec![1], vec![])], 7) };
        assert!(matches!(NewerEvents::none(Position(7)).check(&condition), Err(AppendError::ConditionFailed { .. })));
        assert_eq!(Wanted::by(&[&condition], Position(6)).unwrap().after, Position(2));
        assert!(NewerEvents::none(Position(6)).check(&condition).is_ok());
        let beyond = NewerEvents::none(Position(1)).check(&condition);
        assert!(matches!(beyond, Err(AppendError::ConditionBeyondHead { after: Position(2), head: Position(1) })));
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
            let mut newer = NewerEvents::none(Position(30));
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
