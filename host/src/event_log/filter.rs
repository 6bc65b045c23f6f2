//! Which events of the log are read.

/// Names that are let through: event types, or categories of streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NameFilter {
    /// Every name.
    #[default]
    All,
    /// These names and no others; none at all if the list is empty.
    Only(Vec<String>),
}

/// The events to read: those whose type and category are both let through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Types of events.
    pub types: NameFilter,
    /// Categories of streams.
    pub categories: NameFilter,
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

    /// Lets further names through.
    pub fn widen<'n>(&mut self, more: impl Iterator<Item = &'n str>) {
        let Self::Only(names) = self else { return };
        for name in more {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
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
    /// Whether every event is read.
    pub(super) fn is_all(&self) -> bool {
        self.types == NameFilter::All && self.categories == NameFilter::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_filter_admits_more_and_never_turns_into_all() {
        let mut filter = NameFilter::only(["A"; 1]);
        filter.widen(["A", "B"].into_iter());
        assert_eq!(filter, NameFilter::only(["A", "B"]));
        assert!(filter.admits("B") && !filter.admits("C"));

        let mut nothing = NameFilter::Only(Vec::new());
        assert!(!nothing.admits("A"));
        nothing.widen(std::iter::empty());
        assert_eq!(nothing, NameFilter::Only(Vec::new()));

        let mut all = NameFilter::All;
        all.widen(["A"].into_iter());
        assert_eq!(all, NameFilter::All);
    }
}
