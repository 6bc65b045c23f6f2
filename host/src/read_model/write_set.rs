//! The changes of a batch of events.

use std::sync::Arc;

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    table::{Index, Table},
    value::{Key, Row, Value, cells_bytes},
};

/// The rows that a batch writes and deletes; of several changes to a row, the last.
#[derive(Clone, Debug)]
pub struct WriteSet {
    tables: Vec<TableWrites>,
    bytes: usize,
}

/// The part of a [`WriteSet`] for one table: a row for each key, or `None` if the row is deleted.
#[derive(Clone, Debug)]
pub struct TableWrites {
    table: Arc<Table>,
    rows: HashMap<Key, Option<Row>>,
}

impl WriteSet {
    /// A set without changes for these tables.
    #[must_use]
    pub fn new(tables: &[Arc<Table>]) -> Self {
        let tables =
            tables.iter().map(|table| TableWrites { table: Arc::clone(table), rows: HashMap::new() }).collect();
        Self { tables, bytes: 0 }
    }

    /// The tables with their changes.
    #[must_use]
    pub fn tables(&self) -> &[TableWrites] {
        &self.tables
    }

    /// The index of the table of this name in [`Self::tables`].
    #[must_use]
    pub fn table_index(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|writes| writes.table.name().as_str() == table)
    }

    /// Whether it changes no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|writes| writes.rows.is_empty())
    }

    /// The approximate memory that the changes take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes a row into the table at an index. The row must fit the table ([`Table::check_row`]).
    pub fn put(&mut self, table_index: usize, row: Row) {
        let writes = &mut self.tables[table_index];
        let key = writes.table.key_of(&row);
        self.bytes += change_bytes(&key, Some(&row));
        self.bytes -= writes.set(key, Some(row));
    }

    /// Deletes a row of the table at an index. The key must fit the table ([`Table::check_key`]).
    pub fn delete(&mut self, table_index: usize, key: Key) {
        self.bytes += change_bytes(&key, None);
        self.bytes -= self.tables[table_index].set(key, None);
    }

    /// Adds the changes of a later batch, which replace those of the same rows.
    pub fn merge(&mut self, later: Self) {
        self.bytes += later.bytes;
        for (writes, later) in self.tables.iter_mut().zip(later.tables) {
            if writes.rows.is_empty() {
                writes.rows = later.rows;
            } else {
                self.bytes -= later.rows.into_iter().map(|(key, row)| writes.set(key, row)).sum::<usize>();
            }
        }
    }

    /// The changes of each table: a row for each key, or `None` if the row is deleted.
    pub fn into_changes(self) -> Vec<impl IntoIterator<Item = (Key, Option<Row>)>> {
        self.tables.into_iter().map(|writes| writes.rows).collect()
    }
}

/// The approximate memory of one change, in bytes.
fn change_bytes(key: &[Value], row: Option<&Row>) -> usize {
    cells_bytes(key) + row.map_or(0, |row| cells_bytes(row))
}

impl TableWrites {
    /// Sets the change of the row that has this key, and answers the bytes of the change that it replaces.
    fn set(&mut self, key: Key, row: Option<Row>) -> usize {
        match self.rows.entry(key) {
            Entry::Occupied(mut entry) => {
                let before = change_bytes(entry.key(), entry.get().as_ref());
                entry.insert(row);
                before
            }
            Entry::Vacant(entry) => {
                entry.insert(row);
                0
            }
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The change of the row that has this key: `Some(None)` if it is deleted, `None` if it is unchanged.
    #[must_use]
    pub fn get(&self, key: &[Value]) -> Option<Option<&Row>> {
        self.rows.get(key).map(Option::as_ref)
    }

    /// The rows that are written.
    pub fn written(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().flatten()
    }

    /// The keys of the rows that are deleted.
    pub fn deleted(&self) -> impl Iterator<Item = &Key> {
        self.rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key)
    }

    /// The keys of all rows that are written or deleted.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.keys()
    }

    /// Applies these changes to the rows that a search found in the table before them.
    pub fn overlay_found(&self, index: &Index, values: &[Value], found: &mut Vec<Row>) {
        if self.rows.is_empty() {
            return;
        }
        found.retain(|row| !self.rows.contains_key(&self.table.key_of(row)));
        let matches = |row: &&Row| index.btree().iter().zip(values).all(|(&column, value)| row[column] == *value);
        found.extend(self.written().filter(matches).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{
        ColumnType,
        samples::{btree, column, declaration},
    };

    fn table() -> Arc<Table> {
        let columns = [column("id", ColumnType::I64), column("color", ColumnType::Text)];
        let mut declaration = declaration("t", columns, &["id"]);
        declaration.indexes = vec![btree("by_color", &["color"])];
        Arc::new(Table::check(&declaration).unwrap())
    }

    fn row(id: i64, color: &str) -> Row {
        vec![Value::I64(id), Value::Text(color.into())]
    }

    #[test]
    fn the_last_change_of_a_row_counts() {
        let mut writes = WriteSet::new(&[table()]);
        writes.put(0, row(1, "red"));
        writes.put(0, row(1, "blue"));
        writes.put(0, row(2, "red"));
        writes.delete(0, vec![Value::I64(2)]);
        let table = &writes.tables()[0];
        assert_eq!(table.get(&[Value::I64(1)]), Some(Some(&row(1, "blue"))));
        assert_eq!(table.get(&[Value::I64(2)]), Some(None));
        assert_eq!(table.get(&[Value::I64(3)]), None);

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
        often.delete(0, vec![Value::I64(1)]);
        assert_eq!(often.bytes(), cells_bytes(&[Value::I64(1)]));
        often.put(0, row(1, "blue"));
        assert_eq!(often.bytes(), once.bytes());
    }

    #[test]
    fn a_search_sees_the_changes() {
        let mut writes = WriteSet::new(&[table()]);
        writes.put(0, row(1, "blue"));
        writes.put(0, row(2, "red"));
        writes.delete(0, vec![Value::I64(3)]);
        let table = &writes.tables()[0];
        let mut found = vec![row(1, "red"), row(3, "red"), row(4, "red")];
        table.overlay_found(table.table().index("by_color").unwrap(), &[Value::Text("red".into())], &mut found);
        assert_eq!(found, [row(4, "red"), row(2, "red")]);
    }
}
