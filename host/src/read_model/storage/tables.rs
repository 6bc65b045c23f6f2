//! The tables of one build, with their statements.

use std::sync::Arc;

use super::statements::{self, Source};
use crate::read_model::{identifier::Identifier, table::Table};

/// The tables of one build in their own schema, and the statements that read and write them.
#[derive(Clone, Debug)]
pub struct TableSet {
    pub(super) schema: Identifier,
    pub(super) tables: Vec<Stored>,
}

/// A table and its statements.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) table: Arc<Table>,
    /// Schema and name, quoted.
    pub(super) name: String,
    /// Writes rows that are not there,
    pub(super) insert: String,
    /// and any rows.
    pub(super) upsert: String,
    pub(super) delete: String,
    pub(super) get_many: String,
}

impl TableSet {
    /// The tables of a projection in a schema.
    #[must_use]
    pub fn new(schema: Identifier, tables: &[Arc<Table>]) -> Self {
        let tables = tables.iter().map(|table| Stored::new(&schema, table)).collect();
        Self { schema, tables }
    }

    /// The schema that holds the tables.
    #[must_use]
    pub fn schema(&self) -> &Identifier {
        &self.schema
    }

    /// The declared tables.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Arc<Table>> {
        self.tables.iter().map(|stored| &stored.table)
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables().find(|table| table.name().as_str() == name)
    }

    pub(super) fn stored(&self, table: &Table) -> &Stored {
        // Rows and keys were checked against a table of this set.
        self.tables
            .iter()
            .find(|stored| stored.table.name() == table.name())
            .unwrap_or_else(|| panic!("schema {} has no table {}", self.schema, table.name()))
    }
}

impl Stored {
    fn new(schema: &Identifier, table: &Arc<Table>) -> Self {
        let name = format!("{}.{}", schema.quoted(), table.name().quoted());
        Self {
            insert: statements::insert(&name, table, Source::ALONE),
            upsert: statements::upsert(&name, table, Source::ALONE),
            delete: statements::delete(&name, table, Source::ALONE),
            get_many: statements::get_many(&name, table),
            table: Arc::clone(table),
            name,
        }
    }
}
