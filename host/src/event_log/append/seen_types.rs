//! The types of events that are in `gnomon.event_types` already.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::plan::PlannedEvent;

/// Types that are remembered. Beyond it, all are forgotten: what is unknown is only inserted again.
const MAX_TYPES: usize = 10_000;

/// A category of streams, and a type of events that they have.
pub(super) type TypeOfCategory = (String, String);

/// The types that this host has seen committed, by category. A type that it forgot, or that another host committed, is inserted
/// again, which changes nothing.
#[derive(Debug, Default)]
pub(super) struct SeenTypes {
    types: HashMap<String, HashSet<String>>,
    count: usize,
}

impl SeenTypes {
    /// The types of events that may not be in the table yet.
    pub(super) fn unseen(&self, events: &[PlannedEvent<'_>]) -> BTreeSet<TypeOfCategory> {
        let mut unseen = BTreeSet::new();
        for event in events {
            let (category, event_type) = (event.stream.category(), event.event.event_type.as_str());
            if !self.types.get(category).is_some_and(|types| types.contains(event_type)) {
                unseen.insert((category.to_owned(), event_type.to_owned()));
            }
        }
        unseen
    }

    /// Remembers types whose transaction was committed.
    pub(super) fn add(&mut self, committed: BTreeSet<TypeOfCategory>) {
        if self.count + committed.len() > MAX_TYPES {
            self.forget();
        }
        for (category, event_type) in committed {
            self.count += usize::from(self.types.entry(category).or_default().insert(event_type));
        }
    }

    /// Forgets all: the next connection may lead to a database that was restored.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = SeenTypes::default();
        for number in 0..3 * MAX_TYPES {
            seen.add(BTreeSet::from([("a".to_owned(), number.to_string())]));
            seen.add(BTreeSet::from([("a".to_owned(), number.to_string())]));
            let kept: usize = seen.types.values().map(HashSet::len).sum();
            assert!(kept <= MAX_TYPES && kept == seen.count);
        }
    }
}
