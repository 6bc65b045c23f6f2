//! Event queries: which events a decision depends on.

use super::{
    event::Position,
    name::{EventType, Tag},
};

/// Alternatives of types and tags: an event matches if it matches one of the items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// The alternatives, at least one.
    pub items: Vec<QueryItem>,
}

/// Matches the events of any of the types with all of the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryItem {
    /// Any type if the list is empty.
    pub types: Vec<EventType>,
    /// Each once. Any tags, or none, if the list is empty.
    pub tags: Vec<Tag>,
}

/// What must hold for an append to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendCondition {
    /// No event after `after` may match this.
    pub fail_if_events_match: EventQuery,
    /// The position up to which the writer has seen the events that match; `None` if no event of the log may match.
    pub after: Option<Position>,
}

impl QueryItem {
    pub(super) fn matches(&self, event_type: &EventType, tags: &[Tag]) -> bool {
        // The tags of both are there once.
        self.tags.len() <= tags.len()
            && (self.types.is_empty() || self.types.contains(event_type))
            && self.tags.iter().all(|tag| tags.contains(tag))
    }

    /// Whether every event matches.
    pub(super) fn is_all(&self) -> bool {
        self.types.is_empty() && self.tags.is_empty()
    }
}

impl EventQuery {
    /// The types and tags of all items.
    pub(super) fn names(&self) -> usize {
        self.items.iter().map(|item| item.types.len() + item.tags.len()).sum()
    }

    /// Whether an event of this type, with these tags, matches.
    #[must_use]
    pub fn matches(&self, event_type: &EventType, tags: &[Tag]) -> bool {
        self.items.iter().any(|item| item.matches(event_type, tags))
    }

    /// Whether all events that match have tags, by which they can be found.
    pub(super) fn is_tagged(&self) -> bool {
        !self.items.is_empty() && self.items.iter().all(|item| !item.tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(types: &[&str], tags: &[&str]) -> QueryItem {
        QueryItem {
            types: types.iter().map(|name| EventType::new(*name).unwrap()).collect(),
            tags: tags.iter().map(|tag| Tag::new(*tag).unwrap()).collect(),
        }
    }

    #[test]
    fn an_item_matches_any_of_its_types_with_all_of_its_tags() {
        let query = EventQuery { items: vec![item(&["A", "B"], &["x", "y"]), item(&["C"], &[])] };
        let matches = |event_type: &str, tags: &[&str]| {
            let QueryItem { types, tags } = item(&[event_type], tags);
            query.matches(&types[0], &tags)
        };
        assert!(
            matches("A", &["y", "z", "x"]) && matches("B", &["x", "y"]) && matches("C", &[]) && matches("C", &["x"])
        );
        assert!(!matches("A", &["x"]) && !matches("D", &["x", "y"]) && !matches("A", &[]));
        assert!(EventQuery { items: vec![item(&[], &[])] }.matches(&EventType::new("A").unwrap(), &[]));
    }
}
