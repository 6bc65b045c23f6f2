//! A host in memory.

use std::{cell::RefCell, rc::Rc};

use serde::{Deserialize, Serialize};

use super::tables::{StoredTables, Write};
use crate::{host::Host, schema::Value};

/// A host whose database is in memory. It is shared: by the rows that ask it, and by the run that looks what was written.
#[derive(Clone)]
pub(super) struct MemoryHost(Rc<RefCell<Memory>>);

struct Memory {
    tables: StoredTables,
    writes: Vec<Write>,
    /// The event in hand; none while a batch is still prepared.
    position: Option<u64>,
    late: Vec<LateFetch>,
}

/// A row that was fetched on its own, since `prefetch` had not named it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LateFetch {
    pub(super) position: u64,
    pub(super) table: String,
    pub(super) key: Vec<Value>,
}

impl MemoryHost {
    pub(super) fn new(tables: StoredTables) -> Self {
        Self(Rc::new(RefCell::new(Memory { tables, writes: Vec::new(), position: None, late: Vec::new() })))
    }

    pub(super) fn start_batch(&self) {
        self.0.borrow_mut().position = None;
    }

    /// All that was written, and all that was fetched late.
    pub(super) fn finish(&self) -> (Vec<Write>, Vec<LateFetch>) {
        let mut memory = self.0.borrow_mut();
        (std::mem::take(&mut memory.writes), std::mem::take(&mut memory.late))
    }

    fn write(&self, write: Write) {
        let mut memory = self.0.borrow_mut();
        memory.tables.apply(&write);
        memory.writes.push(write);
    }
}

impl Host for MemoryHost {
    fn turn_to(&mut self, position: u64) {
        self.0.borrow_mut().position = Some(position);
    }

    fn get_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) -> Vec<Option<Vec<Value>>> {
        let mut memory = self.0.borrow_mut();
        if let Some(position) = memory.position {
            let late = keys.iter().map(|key| LateFetch { position, table: table.to_owned(), key: key.clone() });
            memory.late.extend(late);
        }
        let table = memory.tables.table(table);
        keys.into_iter().map(|key| table.get(key)).collect()
    }

    fn put_many(&mut self, table: &'static str, rows: Vec<Vec<Value>>) {
        self.write(Write::Put { table: table.to_owned(), rows });
    }

    fn delete_many(&mut self, table: &'static str, keys: Vec<Vec<Value>>) {
        self.write(Write::Delete { table: table.to_owned(), keys });
    }

    fn find(&mut self, table: &'static str, index: &'static str, values: Vec<Value>) -> Vec<Vec<Value>> {
        self.0.borrow().tables.table(table).find(index, &values)
    }
}
