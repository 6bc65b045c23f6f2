//! Tables in memory, instead of a database.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::schema::{IndexKind, IndexSchema, TableSchema, Value};

/// The tables of a projection with all their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredTables {
    tables: HashMap<&'static str, StoredTable>,
}

/// A table: its rows, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredTable {
    schema: TableSchema,
    pub(super) rows: BTreeMap<StoredKey, Vec<Value>>,
}

/// A key, in the order in which the host sorts rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredKey(pub(super) Vec<Value>);

/// A write to a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Write {
    Put { table: String, rows: Vec<Vec<Value>> },
    Delete { table: String, keys: Vec<Vec<Value>> },
}

impl StoredTables {
    pub(super) fn new(schemas: Vec<TableSchema>) -> Self {
        let mut tables = HashMap::new();
        for schema in schemas {
            let before = tables.insert(schema.name, StoredTable { schema, rows: BTreeMap::new() });
            assert!(before.is_none(), "the projection has two tables named `{}`", schema.name);
        }
        Self { tables }
    }

    /// # Panics
    /// There is no such table.
    pub(super) fn table(&self, name: &str) -> &StoredTable {
        match self.tables.get(name) {
            Some(table) => table,
            None => panic!("the table `{name}` is not among the `Tables` of this module"),
        }
    }

    pub(super) fn apply(&mut self, write: &Write) {
        match write {
            Write::Put { table, rows } => {
                if let Some(table) = self.tables.get_mut(table.as_str()) {
                    for row in rows {
                        table.rows.insert(table.schema.key_of(row), row.clone());
                    }
                }
            }
            Write::Delete { table, keys } => {
                if let Some(table) = self.tables.get_mut(table.as_str()) {
                    for key in keys {
                        table.rows.remove(&StoredKey(key.clone()));
                    }
                }
            }
        }
    }
}

impl StoredTable {
    pub(super) fn key_of(&self, row: &[Value]) -> StoredKey {
        self.schema.key_of(row)
    }

    pub(super) fn get(&self, key: Vec<Value>) -> Option<Vec<Value>> {
        self.rows.get(&StoredKey(key)).cloned()
    }

    pub(super) fn find(&self, index: &str, values: &[Value]) -> Vec<Vec<Value>> {
        let index = self.schema.indexes.iter().find(|declared| declared.name == index);
        let Some(IndexSchema { kind: IndexKind::Btree(columns), .. }) = index else { return Vec::new() };
        let indexes: Vec<usize> = columns.iter().filter_map(|column| self.schema.index_of(column)).collect();
        self.rows
            .values()
            .filter(|row| indexes.iter().zip(values).all(|(&index, value)| row[index] == *value))
            .cloned()
            .collect()
    }
}

impl TableSchema {
    fn key_of(&self, row: &[Value]) -> StoredKey {
        StoredKey(self.key.iter().filter_map(|column| self.index_of(column)).map(|index| row[index].clone()).collect())
    }
}

impl Ord for StoredKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(left, right)| compare(left, right))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for StoredKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of two cells of one key column, which have the same type.
fn compare(left: &Value, right: &Value) -> Ordering {
    let decimal = |text: &str| text.parse::<Decimal>().unwrap_or_default();
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::I64(left), Value::I64(right))
        | (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::LocalTimestamp(left), Value::LocalTimestamp(right))
        | (Value::Time(left), Value::Time(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Decimal(left), Value::Decimal(right)) => decimal(left).cmp(&decimal(right)),
        (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        // No other type can be a key.
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `host/src/read_model/value.rs` tests the same file.
    #[test]
    fn keys_have_the_order_of_the_host() {
        let golden = include_str!("../../values/tests/golden/order.tsv");
        for line in golden.lines().filter(|line| !line.starts_with('#')) {
            let mut texts = line.split('\t');
            let column_type = texts.next().unwrap();
            let value = |text: &str| match column_type {
                "text" => Value::Text(text.to_owned()),
                "bool" => Value::Bool(text.parse().unwrap()),
                "i64" => Value::I64(text.parse().unwrap()),
                "decimal" => Value::Decimal(text.to_owned()),
                "timestamp" => Value::Timestamp(text.parse().unwrap()),
                "local_timestamp" => Value::LocalTimestamp(text.parse().unwrap()),
                "time" => Value::Time(text.parse().unwrap()),
                "date" => Value::Date(text.parse().unwrap()),
                "uuid" => Value::Uuid(text.parse().unwrap()),
                "bytes" => Value::Bytes(
                    text.as_bytes()
                        .chunks(2)
                        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
                        .collect(),
                ),
                other => panic!("{other} cannot be a key"),
            };
            let keys: Vec<StoredKey> = texts.map(|text| StoredKey(vec![value(text)])).collect();
            assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        }
    }
}
