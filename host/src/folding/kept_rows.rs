//! Rows of a build that are kept from batch to batch, so that a batch need not read again what earlier ones have written.
//!
//! Only the worker that has the build's lease writes to its tables. So what it has committed is what they hold, and a row that was read stays
//! as it was until the worker writes it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fastbloom::BloomFilter;
use lru::LruCache;

use crate::read_model::{HashedKey, Row, Table, TableSet, Value, WriteSet, cells_bytes};

/// What a build that follows the log keeps: the rows of the last events.
const LIVE_BYTES: usize = 4 * 1024 * 1024;
/// The filter of keys that were let go, in bits (16 MiB), and the keys for which that is enough: with more, some keys without a row are looked up
/// in vain.
const FILTER_BITS: usize = 128 * 1024 * 1024;
const FILTER_KEYS: usize = 10_000_000;
/// What a row takes beside its cells.
const OVERHEAD: usize = 64;

/// The memory that all builds of a host have for rows that they keep. Clones are handles on one.
#[derive(Clone, Debug)]
pub(crate) struct RowMemory(Arc<Bytes>);

#[derive(Debug)]
struct Bytes {
    max: usize,
    used: AtomicUsize,
    builds: AtomicUsize,
}

impl RowMemory {
    pub(crate) fn new(max: usize) -> Self {
        Self(Arc::new(Bytes { max, used: AtomicUsize::new(0), builds: AtomicUsize::new(0) }))
    }

    /// Whether a build that has so many bytes has to let rows go: each may have its part, and more only if the others leave it.
    fn is_short(&self, own: usize) -> bool {
        let Bytes { max, used, builds } = &*self.0;
        used.load(Ordering::Relaxed) > *max && own > max / builds.load(Ordering::Relaxed).max(1)
    }
}

/// The rows that one build keeps.
#[derive(Debug)]
pub(crate) struct KeptRows {
    tables: Vec<LruCache<HashedKey, Row>>,
    bytes: usize,
    memory: RowMemory,
    /// The tables were empty when this began: what was neither kept nor let go is not there.
    began_empty: bool,
    /// The keys that were let go, with the index of their table.
    let_go: Option<Box<BloomFilter>>,
}

/// What is known of a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Known<'k> {
    /// The row.
    Row(&'k Row),
    /// There is none.
    Absent,
    /// Only Postgres knows.
    Unknown,
}

impl KeptRows {
    /// Keeps nothing yet. The tables are empty if nothing was ever written to them.
    pub(crate) fn new(tables: &TableSet, are_empty: bool, memory: RowMemory) -> Self {
        memory.0.builds.fetch_add(1, Ordering::Relaxed);
        let tables = tables.tables().map(|_| LruCache::unbounded()).collect();
        Self { tables, bytes: 0, memory, began_empty: are_empty, let_go: None }
    }

    /// What is known of the row of a key.
    pub(crate) fn get(&mut self, table_index: usize, key: &HashedKey) -> Known<'_> {
        let is_absent = self.began_empty && !self.was_let_go(table_index, key);
        match self.tables[table_index].get(key) {
            Some(row) => Known::Row(row),
            None if is_absent => Known::Absent,
            None => Known::Unknown,
        }
    }

    /// Notes of changes over `earlier` ones, which are not absorbed, whether their rows are new.
    pub(crate) fn note_new(&self, writes: &mut WriteSet, earlier: &[Arc<WriteSet>]) {
        if self.began_empty {
            writes.note_new(earlier, |table_index, key| {
                !self.tables[table_index].contains(key) && !self.was_let_go(table_index, key)
            });
        }
    }

    fn was_let_go(&self, table_index: usize, key: &HashedKey) -> bool {
        self.let_go.as_ref().is_some_and(|keys| keys.contains(&(table_index, key.hash())))
    }

    /// Keeps a row as it is in the table.
    pub(crate) fn keep(&mut self, table_index: usize, key: HashedKey, row: Row) {
        self.take(row_bytes(&key, &row));
        if let Some((key, before)) = self.tables[table_index].push(key, row) {
            self.give(row_bytes(&key, &before));
        }
    }

    /// Keeps what was committed, in the order of the commits.
    pub(crate) fn absorb(&mut self, committed: Arc<WriteSet>, is_live: bool) {
        let tables: Vec<Arc<Table>> = committed.tables().iter().map(|writes| Arc::clone(writes.table())).collect();
        let changes = Arc::unwrap_or_clone(committed).into_changes();
        for (table_index, (table, changes)) in tables.iter().zip(changes).enumerate() {
            for change in changes {
                match change.into_parts(table) {
                    (key, Some(row)) => self.keep(table_index, key, row),
                    (key, None) => self.forget(table_index, &key),
                }
            }
        }
        while self.memory.is_short(self.bytes) || is_live && self.bytes > LIVE_BYTES {
            if !self.let_one_go() {
                break;
            }
        }
    }

    /// Forgets a row that is not in the table any more.
    fn forget(&mut self, table_index: usize, key: &HashedKey) {
        if let Some((key, row)) = self.tables[table_index].pop_entry(key) {
            self.give(row_bytes(&key, &row));
        }
    }

    /// Lets the row go that was used longest ago, of the table that has most of them. Returns whether there was one.
    fn let_one_go(&mut self) -> bool {
        let tables = self.tables.iter_mut().enumerate();
        let Some((table_index, (key, row))) = tables
            .max_by_key(|(_, rows)| rows.len())
            .and_then(|(table_index, rows)| Some((table_index, rows.pop_lru()?)))
        else {
            return false;
        };
        self.give(row_bytes(&key, &row));
        if self.began_empty {
            let filter = || Box::new(BloomFilter::with_num_bits(FILTER_BITS).expected_items(FILTER_KEYS));
            self.let_go.get_or_insert_with(filter).insert(&(table_index, key.hash()));
        }
        true
    }

    fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.memory.0.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.memory.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for KeptRows {
    fn drop(&mut self) {
        self.give(self.bytes);
        self.memory.0.builds.fetch_sub(1, Ordering::Relaxed);
    }
}

fn row_bytes(key: &HashedKey, row: &[Value]) -> usize {
    cells_bytes(key.cells()) + cells_bytes(row) + OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;
    use crate::read_model::{
        ColumnType, Identifier,
        samples::{column, declaration},
    };

    fn table(name: &str) -> Arc<Table> {
        let columns = [column("id", ColumnType::I64), column("text", ColumnType::Text)];
        Arc::new(Table::check(&declaration(name, columns, &["id"])).unwrap())
    }

    fn key(id: i64) -> HashedKey {
        HashedKey::new(vec![Value::I64(id)])
    }

    fn row(id: i64, text: &str) -> Row {
        vec![Value::I64(id), Value::Text(text.to_owned())]
    }

    fn rows(are_empty: bool, memory: &RowMemory) -> KeptRows {
        let tables = [table("a"), table("b")];
        KeptRows::new(&TableSet::new(Identifier::new("s").unwrap(), &tables), are_empty, memory.clone())
    }

    /// A change of one row: its table, key and new text, or nothing if it is deleted.
    type Change = (usize, i64, Option<u8>);

    fn commit(changes: &[Change]) -> Arc<WriteSet> {
        let mut writes = WriteSet::new(&[table("a"), table("b")]);
        for (table_index, id, text) in changes {
            match text {
                Some(text) => writes.put(*table_index, row(*id, &text.to_string())),
                None => writes.delete(*table_index, vec![Value::I64(*id)]),
            }
        }
        Arc::new(writes)
    }

    proptest! {
        /// However little memory there is, what is known is what the tables hold.
        #[test]
        fn what_is_known_is_true(
            are_empty: bool,
            max_rows in 0..30_usize,
            commits in prop::collection::vec(prop::collection::vec((0..2_usize, 0..20_i64, any::<Option<u8>>()), 1..12), 1..8),
        ) {
            let memory = RowMemory::new(max_rows * row_bytes(&key(0), &row(0, "1")));
            let mut kept = rows(are_empty, &memory);
            let mut all = HashMap::new();
            if !are_empty {
                all.extend((0..10).map(|id| ((0, id), row(id, "before"))));
            }
            for changes in &commits {
                for (table_index, id, text) in changes {
                    match text {
                        Some(text) => drop(all.insert((*table_index, *id), row(*id, &text.to_string()))),
                        None => drop(all.remove(&(*table_index, *id))),
                    }
                }
                kept.absorb(commit(changes), false);
                prop_assert!(!memory.is_short(kept.bytes));
                for (table_index, id) in (0..2).flat_map(|table_index| (0..20).map(move |id| (table_index, id))) {
                    let there = all.get(&(table_index, id));
                    let key = key(id);
                    match kept.get(table_index, &key) {
                        Known::Row(row) => prop_assert_eq!(Some(row), there),
                        Known::Absent => prop_assert_eq!(there, None),
                        // As a batch reads it.
                        Known::Unknown => if let Some(row) = there { kept.keep(table_index, key, row.clone()) },
                    }
                }
            }
            drop(kept);
            prop_assert_eq!(memory.0.used.load(Ordering::Relaxed), 0);
        }
    }

    proptest! {
        /// As a replay folds and commits: batches are folded over what is being committed and what is pending, whichever ends first. What is
        /// noted as new when it is committed is not in the table, and what is not there is noted unless it was there before.
        #[test]
        fn what_is_noted_as_new_is_not_in_the_table(
            max_rows in 0..30_usize,
            steps in prop::collection::vec(prop_oneof![
                4 => prop::collection::vec((0..2_usize, 0..20_i64, any::<Option<u8>>()), 1..12).prop_map(Some),
                3 => Just(None),
            ], 1..30),
        ) {
            let memory = RowMemory::new(max_rows * row_bytes(&key(0), &row(0, "1")));
            let mut kept = rows(true, &memory);
            let (mut there, mut ever) = (HashSet::new(), HashSet::new());
            let (mut pending, mut in_flight, mut committed) = (None::<Arc<WriteSet>>, None::<Arc<WriteSet>>, Vec::new());
            for step in steps {
                // A commit ends, and the next one begins.
                let Some(changes) = step else {
                    committed.extend(in_flight.take());
                    let Some(next) = pending.take() else { continue };
                    for (table_index, writes) in next.tables().iter().enumerate() {
                        let row_of = |row: &Row| (table_index, row[0].clone());
                        let (new, others): (Vec<_>, Vec<_>) =
                            (writes.written_if(true).map(row_of).collect(), writes.written_if(false).map(row_of).collect());
                        prop_assert!(new.iter().all(|row| !there.contains(row)), "{:?} of {:?}", new, there);
                        prop_assert!(others.iter().all(|row| ever.contains(row)), "{:?} of {:?}", others, ever);
                        there.extend(new.iter().chain(&others).cloned());
                        ever.extend(new.into_iter().chain(others));
                        for deleted in writes.deleted() {
                            there.remove(&(table_index, deleted[0].clone()));
                            ever.insert((table_index, deleted[0].clone()));
                        }
                    }
                    in_flight = Some(next);
                    continue;
                };
                committed.drain(..).for_each(|writes| kept.absorb(writes, false));
                let layers: Vec<Arc<WriteSet>> = in_flight.iter().chain(&pending).cloned().collect();
                let mut folded = Arc::unwrap_or_clone(commit(&changes));
                kept.note_new(&mut folded, &layers);
                drop(layers);
                match &mut pending {
                    Some(pending) => Arc::make_mut(pending).merge(folded),
                    none => *none = Some(Arc::new(folded)),
                }
            }
        }

        /// A build that did not begin with empty tables knows of no key that it is new.
        #[test]
        fn nothing_is_new_in_tables_that_were_not_empty(changes in prop::collection::vec((0..2_usize, 0..20_i64, any::<Option<u8>>()), 1..12)) {
            let mut folded = Arc::unwrap_or_clone(commit(&changes));
            rows(false, &RowMemory::new(0)).note_new(&mut folded, &[]);
            prop_assert!(folded.tables().iter().all(|writes| writes.written_if(true).next().is_none()));
        }
    }

    #[test]
    fn builds_share_memory() {
        let one_row = row_bytes(&key(0), &row(0, "1"));
        let memory = RowMemory::new(10 * one_row);
        let (mut first, mut second) = (rows(true, &memory), rows(true, &memory));
        let some = |ids: std::ops::Range<i64>| commit(&ids.map(|id| (0, id, Some(1))).collect::<Vec<_>>());
        let count = |kept: &KeptRows| kept.tables[0].len();
        // Nobody else needs it.
        (0..9).for_each(|id| first.absorb(some(id..id + 1), false));
        assert_eq!(count(&first), 9);
        second.absorb(some(0..9), false);
        assert_eq!(count(&second), 5);
        first.absorb(some(9..10), false);
        assert_eq!((count(&first), count(&second)), (5, 5));
        // The oldest went, and may be in the table.
        assert_eq!(first.get(0, &key(0)), Known::Unknown);
        assert_eq!(first.get(0, &key(9)), Known::Row(&row(9, "1")));
        assert_eq!(first.get(0, &key(10)), Known::Absent);
        drop(second);
        first.absorb(some(10..15), false);
        assert_eq!(count(&first), 10);
    }

    #[test]
    fn a_build_that_follows_the_log_keeps_little() {
        let mut kept = rows(true, &RowMemory::new(usize::MAX));
        let text = "x".repeat(1024 * 1024);
        for id in 0..8 {
            kept.keep(0, key(id), row(id, &text));
        }
        kept.absorb(commit(&[(1, 1, Some(1))]), false);
        assert_eq!(kept.tables[0].len(), 8);
        kept.absorb(commit(&[(1, 1, Some(1))]), true);
        assert_eq!((kept.tables[0].len(), kept.tables[1].len()), (3, 1));
    }
}
