//! What a batch of events changes.

use std::sync::Arc;

use hashbrown::{HashMap, hash_map::Entry};

use super::{
    table::{Index, Table},
    value::{Key, Row, Value, cells_bytes},
};

/// The rows that a batch writes and deletes, the last word on each.
#[derive(Clone, Debug)]
pub struct WriteSet {
    tables: Vec<TableWrites>,
    bytes: usize,
}

/// The part of a [`WriteSet`] for one table: a row for each key, none where it is deleted.
#[derive(Clone, Debug)]
pub struct TableWrites {
    table: Arc<Table>,
    rows: HashMap<Key, Option<Row>>,
}

impl WriteSet {
    /// Nothing changed yet in any of these tables.
    #[must_use]
    pub fn new(tables: &[Arc<Table>]) -> Self {
        let tables =
            tables.iter().map(|table| TableWrites { table: Arc::clone(table), rows: HashMap::new() }).collect();
        Self { tables, bytes: 0 }
    }

    /// The tables, each with what changed in it.
    #[must_use]
    pub fn tables(&self) -> &[TableWrites] {
        &self.tables
    }

    /// The place of the table of this name.
    #[must_use]
    pub fn place(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|writes| writes.table.name().as_str() == table)
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(|writes| writes.rows.is_empty())
    }

    /// About how much memory the rows take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes a row into the table at a place. The row must fit the table ([`Table::check_row`]).
    pub fn put(&mut self, place: usize, row: Row) {
        let writes = &mut self.tables[place];
        let key = writes.table.key_of(&row);
        self.bytes += change_bytes(&key, Some(&row));
        self.bytes -= writes.set(key, Some(row));
    }

    /// Deletes a row of the table at a place. The key must fit the table ([`Table::check_key`]).
    pub fn delete(&mut self, place: usize, key: Key) {
        self.bytes += change_bytes(&key, None);
        self.bytes -= self.tables[place].set(key, None);
    }

    /// Takes over what a later batch changed.
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
}

/// What a key and what became of its row take.
fn change_bytes(key: &[Value], row: Option<&Row>) -> usize {
    cells_bytes(key) + row.map_or(0, |row| cells_bytes(row))
}

impl TableWrites {
    /// Says what becomes of the row that has this key; answers the bytes of what was said before.
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

    /// What became of the row that has this key; none if nothing did.
    #[must_use]
    pub fn get(&self, key: &[Value]) -> Option<Option<&Row>> {
        self.rows.get(key).map(Option::as_ref)
    }

    /// The rows that were written and not deleted after.
    pub fn written(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().flatten()
    }

    /// The keys of the rows that were deleted and not written after.
    pub fn deleted(&self) -> impl Iterator<Item = &Key> {
        self.rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key)
    }

    /// Every key that was written or deleted.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.rows.keys()
    }

    /// Puts these changes over what a search of the table found before them.
    pub fn overlay_found(&self, index: &Index, values: &[Value], found: &mut Vec<Row>) {
        if self.rows.is_empty() {
            return;
        }
        found.retain(|row| !self.rows.contains_key(&self.table.key_of(row)));
        let matches = |row: &&Row| index.columns.iter().zip(values).all(|(&column, value)| row[column] == *value);
        found.extend(self.written().filter(matches).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::{ColumnDeclaration, ColumnType, IndexDeclaration, TableDeclaration};

    fn table() -> Arc<Table> {
        let column = |name: &str, column_type| ColumnDeclaration { name: name.into(), column_type, nullable: false };
        let declaration = TableDeclaration {
            name: "t".into(),
            columns: vec![column("id", ColumnType::I64), column("color", ColumnType::Text)],
            key: vec!["id".into()],
            indexes: vec![IndexDeclaration { name: "by_color".into(), columns: vec!["color".into()] }],
        };
        Arc::new(Table::check(&declaration).unwrap())
    }

    fn row(id: i64, color: &str) -> Row {
        vec![Value::I64(id), Value::Text(color.into())]
    }

    #[test]
    fn the_last_word_on_a_key_counts() {
        let mut writes = WriteSet::new(&[table()]);
        assert!(writes.is_empty());
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
    fn what_is_written_over_counts_no_more() {
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
