//! Which rows changes are of, in texts that Postgres reads: for those who follow the rows of a build.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{table::Table, value::Value, write_set::WriteSet};

/// The most keys that one commit notes: of more rows than that, reading a whole table again is no more work.
pub const MAX_CHANGED_KEYS: usize = 1_000;
/// The most bytes that they may take.
pub const MAX_CHANGED_KEYS_BYTES: usize = 32 * 1024;

/// The keys of the rows that were changed, by table. Each key is a list of texts, one for each column of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangedKeys(pub BTreeMap<String, Vec<Vec<String>>>);

impl ChangedKeys {
    /// The keys of the rows that are written or deleted. `None` if they are [too many](MAX_CHANGED_KEYS), or too large.
    #[must_use]
    pub fn of(writes: &WriteSet) -> Option<Self> {
        let (mut tables, mut keys_left, mut bytes_left) = (BTreeMap::new(), MAX_CHANGED_KEYS, MAX_CHANGED_KEYS_BYTES);
        for writes in writes.tables() {
            let table: &Table = writes.table();
            let mut keys = Vec::new();
            let mut add = |cells: &mut dyn Iterator<Item = &Value>| {
                let key: Vec<String> = cells.map(key_text).collect::<Option<_>>()?;
                // A text in JSON takes twice its bytes at most, but for control characters.
                let bytes: usize = key.iter().map(|cell| cell.len() + 4).sum();
                keys_left = keys_left.checked_sub(1)?;
                bytes_left = bytes_left.checked_sub(bytes)?;
                keys.push(key);
                Some(())
            };
            for row in writes.written() {
                add(&mut table.key().iter().map(|&column| &row[column]))?;
            }
            for key in writes.deleted() {
                add(&mut key.iter())?;
            }
            if !keys.is_empty() {
                tables.insert(table.name().to_string(), keys);
            }
        }
        Some(Self(tables))
    }
}

/// A cell of a key as Postgres reads it. `None` for what no key has.
#[must_use]
pub fn key_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.clone(),
        Value::Bool(bool) => bool.to_string(),
        Value::I64(integer) => integer.to_string(),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Timestamp(instant) => instant.to_string(),
        Value::LocalTimestamp(local) => local.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Bytes(bytes) => bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
        Value::Null | Value::CiText(_) | Value::F64(_) | Value::Json(_) => return None,
        Value::TextArray(_) | Value::I64Array(_) | Value::F64Array(_) | Value::UuidArray(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::read_model::samples;

    fn writes(keys: i64) -> WriteSet {
        let declaration = samples::declaration("t", [samples::column("id", super::super::ColumnType::I64)], &["id"]);
        let table = Arc::new(Table::check(&declaration).unwrap());
        let mut writes = WriteSet::new(&[table]);
        (0..keys).for_each(|key| writes.put(0, vec![Value::I64(key)]));
        writes
    }

    #[test]
    fn written_and_deleted_rows_are_noted_up_to_a_bound() {
        let mut changes = writes(1);
        changes.delete(0, vec![Value::I64(7)]);
        let keys = ChangedKeys::of(&changes).unwrap();
        assert_eq!(serde_json::to_string(&keys).unwrap(), r#"{"t":[["0"],["7"]]}"#);
        assert_eq!(ChangedKeys::of(&writes(0)), Some(ChangedKeys::default()));
        assert!(ChangedKeys::of(&writes(1_000)).is_some());
        assert_eq!(ChangedKeys::of(&writes(1_001)), None);
    }
}
