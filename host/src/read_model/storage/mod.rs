//! The tables of one build in Postgres.

mod apply;
mod cells;
mod lookup;
mod schema;

use std::sync::Arc;

pub use self::lookup::{LookupError, RowsTooLarge};

use super::{identifier::Identifier, table::Table, value::ColumnType};

/// The tables of one build: a schema of their own, and the statements that read and write them.
#[derive(Clone, Debug)]
pub struct TableSet {
    schema: Identifier,
    tables: Vec<Stored>,
}

/// A table and its statements.
#[derive(Clone, Debug)]
struct Stored {
    table: Arc<Table>,
    /// Schema and name, quoted.
    name: String,
    upsert: String,
    delete: String,
    get_many: String,
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

    fn stored(&self, table: &Table) -> &Stored {
        // The rows that come here were checked against tables of this very set.
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
            upsert: apply::upsert(&name, table),
            delete: apply::delete(&name, table),
            get_many: lookup::get_many(&name, table),
            table: Arc::clone(table),
            name,
        }
    }
}

/// A parameter that is an array of a column's values, as a statement writes it. Decimals and JSON travel as text.
fn array_parameter(number: usize, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal | ColumnType::Json => format!("${number}::text[]::{}[]", column_type.sql()),
        _ => format!("${number}::{}[]", column_type.sql()),
    }
}

/// A column as a statement selects it so that [`cells::cell_from_row`] can read it.
fn selected(column: &str, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Decimal | ColumnType::Json => format!("{column}::text"),
        _ => column.to_owned(),
    }
}

fn join(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests;
