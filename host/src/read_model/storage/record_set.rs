//! Rows that are in no table of Postgres, for a query to be answered from.

use std::sync::Arc;

use super::{
    cells::{Statement, bind_column},
    statements::{array_parameter, collation, join},
    tables::TableSet,
};
use crate::read_model::{
    table::Table,
    value::{Row, sql_type},
    write_set::WriteSet,
};

/// Some rows of one table of a projection.
#[derive(Clone, Debug)]
pub struct RecordSet {
    tables: TableSet,
    index: usize,
    rows: Vec<Row>,
}

impl RecordSet {
    /// Rows of the table at an index, which they fit.
    #[must_use]
    pub fn new(tables: TableSet, index: usize, rows: Vec<Row>) -> Self {
        Self { tables, index, rows }
    }

    /// All tables of the projection.
    #[must_use]
    pub fn tables(&self) -> &TableSet {
        &self.tables
    }

    fn table(&self) -> &Arc<Table> {
        &self.tables.tables[self.index].table
    }

    /// How many parameters its [SQL](Self::sql) has: one for each column.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.table().columns().len()
    }

    /// A subquery with the columns of the table, of the same types and collations. Its parameters begin with the number `first`.
    #[must_use]
    pub fn sql(&self, first: usize) -> String {
        let table = self.table();
        let columns = table.columns().iter().enumerate();
        let arrays = columns.clone().map(|(index, column)| array_parameter(first + index, column.column_type));
        let names = columns.clone().map(|(index, _)| format!("c{index}"));
        let cells = columns.map(|(index, column)| {
            let collation = collation(column.column_type, table.key().contains(&index));
            format!("c{index}::{}{collation} AS {}", sql_type(column.column_type), column.name.quoted())
        });
        format!("(SELECT {} FROM unnest({}) AS given ({}))", join(cells, ", "), join(arrays, ", "), join(names, ", "))
    }

    /// Binds the parameters of its SQL.
    pub fn bind<'q>(&'q self, mut statement: Statement<'q>) -> Statement<'q> {
        for (index, column) in self.table().columns().iter().enumerate() {
            statement = bind_column(statement, column.column_type, self.rows.iter().map(|row| &row[index]));
        }
        statement
    }

    /// The rows as a set of writes.
    #[must_use]
    pub fn writes(&self) -> WriteSet {
        let tables: Vec<Arc<Table>> = self.tables.tables().cloned().collect();
        let mut writes = WriteSet::new(&tables);
        self.rows.iter().for_each(|row| writes.put(self.index, row.clone()));
        writes
    }
}
