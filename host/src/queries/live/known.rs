//! The rows that the followers of a query have.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use super::event::RowChange;

/// A row by its key; `None` if it does not match, or is not there.
pub(super) type FoundRow = (Arc<str>, Option<Arc<str>>);

/// The bytes of a row and its key, with what it takes beside them, about.
pub(super) fn bytes_of((key, row): &FoundRow) -> usize {
    const REST: usize = 64;
    REST + key.len() + row.as_ref().map_or(0, |row| row.len())
}

/// A row with what has become of it.
pub(super) type ChangedRow = (RowChange, Arc<str>, Option<Arc<str>>);

/// The rows that the followers of a query have: keys, and hashes of the rest.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    rows: HashMap<Arc<str>, u64>,
    hasher: RandomState,
}

impl KnownRows {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows as they are now; what has become of them. Those that are as they were are not in it.
    pub(super) fn change(&mut self, found: impl IntoIterator<Item = FoundRow>) -> Vec<ChangedRow> {
        let mut changed = Vec::new();
        for (key, row) in found {
            let change = match &row {
                None => self.rows.remove(&key).map(|_| RowChange::Delete),
                Some(shown) => {
                    let hash = self.hasher.hash_one(shown);
                    match self.rows.insert(Arc::clone(&key), hash) {
                        None => Some(RowChange::Insert),
                        Some(before) => (before != hash).then_some(RowChange::Update),
                    }
                }
            };
            changed.extend(change.map(|change| (change, key, row)));
        }
        changed
    }

    /// All rows that there are now; what has become of all.
    pub(super) fn replace(&mut self, all: &[(Arc<str>, Arc<str>)]) -> Vec<ChangedRow> {
        let keys: HashSet<&str> = all.iter().map(|(key, _)| &**key).collect();
        let gone: Vec<_> = self.rows.keys().filter(|key| !keys.contains(&***key)).cloned().collect();
        let mut changed = self.change(gone.into_iter().map(|key| (key, None)));
        changed.extend(self.change(all.iter().map(|(key, row)| (Arc::clone(key), Some(Arc::clone(row))))));
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn text(number: u8) -> Arc<str> {
        number.to_string().into()
    }

    proptest! {
        /// Whoever does to a copy what they are told has the rows, and is told nothing that is not so.
        #[test]
        fn what_has_become_of_rows_makes_a_copy_of_them(
            steps in prop::collection::vec((any::<bool>(), prop::collection::btree_map(0_u8..8, prop::option::of(0_u8..3), 0..8)), 1..12))
        {
            let (mut known, mut copy, mut rows) = (KnownRows::default(), BTreeMap::new(), BTreeMap::new());
            for (is_all, step) in steps {
                let changed = if is_all {
                    rows = step.iter().filter_map(|(key, row)| Some((text(*key), text((*row)?)))).collect();
                    known.replace(&rows.iter().map(|(key, row)| (Arc::clone(key), Arc::clone(row))).collect::<Vec<_>>())
                } else {
                    for (key, row) in &step {
                        match row {
                            Some(row) => rows.insert(text(*key), text(*row)),
                            None => rows.remove(&text(*key)),
                        };
                    }
                    known.change(step.iter().map(|(key, row)| (text(*key), row.map(text))))
                };
                for (change, key, row) in changed {
                    let before = copy.get(&key).cloned();
                    match (change, row) {
                        (RowChange::Insert, Some(row)) => {
                            prop_assert!(before.is_none());
                            copy.insert(key, row);
                        }
                        (RowChange::Update, Some(row)) => {
                            prop_assert!(before.is_some_and(|before| before != row));
                            copy.insert(key, row);
                        }
                        (RowChange::Delete, None) => prop_assert!(copy.remove(&key).is_some()),
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
                prop_assert_eq!(&copy, &rows);
                prop_assert_eq!(known.len(), rows.len());
            }
        }
    }
}
