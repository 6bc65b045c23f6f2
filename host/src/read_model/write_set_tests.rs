use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::read_model::{
    ColumnType, cells_bytes,
    samples::{btree, column, declaration, nullable},
    written_index::LOOKED_AT,
};

/// A table whose rows are found by two columns, both nullable, or by one.
fn table() -> Arc<Table> {
    let columns =
        [column("id", ColumnType::I64), nullable("color", ColumnType::Text), nullable("size", ColumnType::I64)];
    let mut declaration = declaration("t", columns, &["id"]);
    declaration.indexes = vec![btree("by_color", &["color", "size"]), btree("by_size", &["size"])];
    Arc::new(Table::check(&declaration).unwrap())
}

fn key(id: i64) -> Key {
    vec![Value::I64(id)]
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn row(id: i64, color: &str) -> Row {
    vec![Value::I64(id), text(color), Value::Null]
}

fn found(writes: &WriteSet, index: &str, values: &[Value]) -> Vec<Row> {
    let table = &writes.tables()[0];
    let mut found: Vec<Row> =
        table.find(table.table().index(index).unwrap(), values).map(|(_, row)| row.clone()).collect();
    found.sort();
    found
}

#[test]
fn the_last_change_of_a_row_counts() {
    let mut writes = WriteSet::new(&[table()]);
    writes.put(0, row(1, "red"));
    writes.put(0, row(1, "blue"));
    writes.put(0, row(2, "red"));
    writes.delete(0, key(2));
    let table = &writes.tables()[0];
    assert_eq!(table.get(&key(1)), Some(Some(&row(1, "blue"))));
    assert_eq!(table.get(&key(2)), Some(None));
    assert_eq!(table.get(&key(3)), None);

    let mut later = WriteSet::new(&[table.table().clone()]);
    later.put(0, row(2, "green"));
    writes.merge(later);
    assert_eq!(writes.tables()[0].deleted().count(), 0);
    assert_eq!(writes.tables()[0].written().count(), 2);
}

#[test]
fn replaced_changes_take_no_memory() {
    let mut once = WriteSet::new(&[table()]);
    once.put(0, row(1, "blue"));
    let mut often = WriteSet::new(&[table()]);
    for color in ["red", "green", "blue"] {
        often.put(0, row(1, color));
    }
    assert_eq!(often.bytes(), once.bytes());
    often.merge(once.clone());
    assert_eq!(often.bytes(), once.bytes());
    often.delete(0, key(1));
    assert_eq!(often.bytes(), cells_bytes(&key(1)));
    often.put(0, row(1, "blue"));
    assert_eq!(often.bytes(), once.bytes());
}

#[test]
fn a_search_by_an_index_takes_memory_of_its_own() {
    let mut writes = WriteSet::new(&[table()]);
    writes.put(0, row(1, "blue"));
    assert_eq!(writes.memory(), writes.bytes());
    found(&writes, "by_color", &[text("red")]);
    let entry = cells_bytes(&[text("blue"), Value::Null, Value::I64(1)]);
    assert_eq!(writes.memory(), writes.bytes() + entry);
    writes.put(0, row(1, "red"));
    assert_eq!(writes.memory(), writes.bytes() + entry - 1);
    writes.delete(0, key(1));
    assert_eq!(writes.memory(), writes.bytes());
}

/// What a batch does to a row, or a search.
#[derive(Clone, Debug)]
enum Step {
    Put(Row),
    Delete(i64),
    Find(&'static str, Vec<Value>),
    /// What follows is another batch, which is added to this one.
    NextBatch,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let color = || prop_oneof![Just(Value::Null), "[ab]{0,2}".prop_map(Value::Text)];
    let size = || prop_oneof![Just(Value::Null), (0..3_i64).prop_map(Value::I64)];
    let row = (0..12_i64, color(), size()).prop_map(|(id, color, size)| vec![Value::I64(id), color, size]);
    let step = prop_oneof![
        6 => row.prop_map(Step::Put),
        2 => (0..12_i64).prop_map(Step::Delete),
        1 => color().prop_map(|color| Step::Find("by_color", vec![color])),
        1 => (color(), size()).prop_map(|(color, size)| Step::Find("by_color", vec![color, size])),
        1 => size().prop_map(|size| Step::Find("by_size", vec![size])),
        1 => Just(Step::NextBatch),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Whenever a search is first made, it finds what a look at each row would find, and later changes keep what it made.
    #[test]
    fn a_search_finds_what_is_written(steps in steps()) {
        let table = table();
        let nothing = || WriteSet::new(std::slice::from_ref(&table));
        let (mut whole, mut batch) = (nothing(), nothing());
        let (mut all, mut in_batch) = (BTreeMap::new(), BTreeMap::new());
        for step in steps.into_iter().chain([Step::NextBatch]) {
            match step {
                Step::Put(row) => {
                    in_batch.insert(table.key_of(&row), Some(row.clone()));
                    batch.put(0, row);
                }
                Step::Delete(id) => {
                    in_batch.insert(key(id), None);
                    batch.delete(0, key(id));
                }
                Step::NextBatch => {
                    all.append(&mut in_batch);
                    whole.merge(std::mem::replace(&mut batch, nothing()));
                }
                Step::Find(index, values) => {
                    let columns = table.index(index).unwrap().btree();
                    let matches = |row: &&Row| columns.iter().zip(&values).all(|(&column, value)| row[column] == *value);
                    let by_hand =
                        |model: &BTreeMap<Key, Option<Row>>| model.values().flatten().filter(matches).cloned().collect::<Vec<_>>();
                    prop_assert_eq!(found(&whole, index, &values), by_hand(&all));
                    prop_assert_eq!(found(&batch, index, &values), by_hand(&in_batch));
                }
            }
        }
        // What was kept is what would be made now, and no entry of a former row is left for a search to pass.
        let writes = &whole.tables()[0];
        for (index, made) in table.indexes().iter().zip(&writes.indexes) {
            if let Some(made) = made.get() {
                prop_assert_eq!(made, &writes.written_by(index));
            }
        }
    }
}

#[test]
fn a_search_looks_at_what_it_finds_and_at_one_more() {
    let mut writes = WriteSet::new(&[table()]);
    found(&writes, "by_color", &[text("any")]);
    for id in 0..10_000 {
        writes.put(0, row(id, &format!("color {}", id % 5000)));
    }
    LOOKED_AT.set(0);
    assert_eq!(found(&writes, "by_color", &[text("color 7")]), [row(7, "color 7"), row(5007, "color 7")]);
    assert_eq!(LOOKED_AT.get(), 3);
    assert_eq!(found(&writes, "by_color", &[text("color")]), [] as [Row; 0]);
    assert_eq!(LOOKED_AT.get(), 4);
}
