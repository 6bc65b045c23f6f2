//! Which events of the log are read.

use super::{event::RecordedEvent, event_query::EventQuery};

/// Names that are let through: event types, or categories of streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NameFilter {
    /// Every name.
    #[default]
    All,
    /// These names and no others; none at all if the list is empty.
    Only(Vec<String>),
}

/// The events to read: those whose type and category are both let through, and that match the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Types of events.
    pub types: NameFilter,
    /// Categories of streams.
    pub categories: NameFilter,
    /// The query; every event if there is none.
    pub query: Option<EventQuery>,
}

impl NameFilter {
    /// Lets these names through and no others.
    pub fn only(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }

    /// Whether a name is let through.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        self.names().is_none_or(|names| names.iter().any(|known| known == name))
    }

    /// Whether every name that `other` lets through is let through.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(_), Self::Only(names)) => names.iter().all(|name| self.admits(name)),
        }
    }

    /// What either lets through.
    fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(one), Self::Only(others)) => {
                Self::only(one.iter().chain(others.iter().filter(|name| !self.admits(name))))
            }
            _ => Self::All,
        }
    }

    /// The names that are let through; `None` (in SQL: null) if all are.
    #[must_use]
    pub fn names(&self) -> Option<&[String]> {
        match self {
            Self::All => None,
            Self::Only(names) => Some(names),
        }
    }
}

impl Filter {
    /// Whether an event is read.
    pub(super) fn admits(&self, event: &RecordedEvent) -> bool {
        self.types.admits(event.event_type.as_str())
            && self.categories.admits(event.stream.category())
            && self.query.as_ref().is_none_or(|query| query.matches(&event.event_type, &event.tags))
    }

    /// Whether every event that `other` lets through is let through. Of filters with a query that is known if they are equal only.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let (types, categories) = (self.types.covers(&other.types), self.categories.covers(&other.categories));
        types && categories && (self.query.is_none() || self.query == other.query)
    }

    /// A filter that lets all through that either of two lets through, and no less than that: neither of them has a query.
    pub(crate) fn or(&self, other: &Self) -> Self {
        debug_assert!(self.query.is_none() && other.query.is_none());
        Self { types: self.types.or(&other.types), categories: self.categories.or(&other.categories), query: None }
    }

    /// Whether every event is read.
    pub(super) fn is_all(&self) -> bool {
        self.types == NameFilter::All && self.categories == NameFilter::All && self.query.is_none()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Strategy<Value = NameFilter> {
        let some = prop::collection::vec(prop::sample::select(&["a", "b", "c", "d"][..]), 0..4);
        prop_oneof![Just(NameFilter::All), some.prop_map(NameFilter::only)]
    }

    fn filter() -> impl Strategy<Value = Filter> {
        (names(), names()).prop_map(|(types, categories)| Filter { types, categories, query: None })
    }

    fn admitted(filter: &Filter) -> Vec<(&'static str, &'static str)> {
        let all = ["a", "b", "c", "d", "e"];
        let pairs = all.iter().flat_map(|event_type| all.iter().map(move |category| (*event_type, *category)));
        pairs
            .filter(|(event_type, category)| filter.types.admits(event_type) && filter.categories.admits(category))
            .collect()
    }

    proptest! {
        #[test]
        fn a_filter_of_two_covers_both(one in filter(), other in filter()) {
            let both = one.or(&other);
            prop_assert!(both.covers(&one) && both.covers(&other));
            let all = admitted(&both);
            prop_assert!(admitted(&one).iter().chain(&admitted(&other)).all(|pair| all.contains(pair)));
        }

        #[test]
        fn what_covers_a_filter_lets_through_what_that_does(one in filter(), other in filter()) {
            let covered = admitted(&other).iter().all(|pair| admitted(&one).contains(pair));
            prop_assert!(covered || !one.covers(&other));
        }
    }
}
