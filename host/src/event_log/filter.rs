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

    /// Whether every event is read.
    pub(super) fn is_all(&self) -> bool {
        self.types == NameFilter::All && self.categories == NameFilter::All && self.query.is_none()
    }
}
