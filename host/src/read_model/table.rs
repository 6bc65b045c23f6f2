//! The tables that a projection declares.

use gnomon_values::{
    TimeError,
    cells::{self, IndexBytesError, IndexedColumns, NulError},
    declaration,
};
use serde::{Deserialize, Serialize};

/// What is wrong with a declaration.
pub use gnomon_values::declaration::DeclarationError;

use super::{
    identifier::Identifier,
    value::{ColumnType, Key, Value},
};

/// A table as a module declares it, not checked yet. Descriptors are stored and shown in this form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDeclaration {
    /// The table's name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDeclaration>,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// Its indexes in addition to the key.
    #[serde(default)]
    pub indexes: Vec<IndexDeclaration>,
}

/// A column of a [`TableDeclaration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDeclaration {
    /// The column's name.
    pub name: String,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    #[serde(default)]
    pub nullable: bool,
}

/// An index of a [`TableDeclaration`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexDeclaration {
    /// The index's name, unique in its table.
    pub name: String,
    /// The columns, first to last.
    pub columns: Vec<String>,
}

impl TableDeclaration {
    /// The declaration in the form that [`declaration::check`] takes.
    #[must_use]
    pub fn to_check(&self) -> declaration::Table<'_> {
        let columns = self.columns.iter().map(|column| declaration::Column {
            name: &column.name,
            order: column.column_type.order(),
            nullable: column.nullable,
        });
        let indexes = self.indexes.iter().map(|index| declaration::Index {
            name: &index.name,
            columns: index.columns.iter().map(String::as_str).collect(),
        });
        declaration::Table {
            name: &self.name,
            columns: columns.collect(),
            key: self.key.iter().map(String::as_str).collect(),
            indexes: indexes.collect(),
        }
    }
}

/// A declared table that is valid. Keys and indexes refer to columns by their index in [`Table::columns`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: Identifier,
    columns: Vec<Column>,
    key: Vec<usize>,
    indexes: Vec<Index>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: Identifier,
    /// What its cells hold.
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// An index of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The index's name, unique in its table.
    pub name: Identifier,
    /// The indexes of its columns in [`Table::columns`], first to last.
    pub columns: Vec<usize>,
}

impl Table {
    /// Checks a declaration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(declaration: &TableDeclaration) -> Result<Self, Vec<DeclarationError>> {
        let errors = declaration::check(&declaration.to_check());
        Self::from_checked(declaration).filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// The table; `None` if a name is invalid or a column is missing.
    fn from_checked(declaration: &TableDeclaration) -> Option<Self> {
        let identifier = |name: &String| Identifier::new(name).ok();
        let column_index = |name: &String| declaration.columns.iter().position(|column| column.name == *name);
        let column = |column: &ColumnDeclaration| {
            let ColumnDeclaration { ref name, column_type, nullable } = *column;
            Some(Column { name: identifier(name)?, column_type, nullable })
        };
        let index = |index: &IndexDeclaration| {
            let columns = index.columns.iter().map(column_index).collect::<Option<_>>()?;
            Some(Index { name: identifier(&index.name)?, columns })
        };
        Some(Self {
            name: identifier(&declaration.name)?,
            columns: declaration.columns.iter().map(column).collect::<Option<_>>()?,
            key: declaration.key.iter().map(column_index).collect::<Option<_>>()?,
            indexes: declaration.indexes.iter().map(index).collect::<Option<_>>()?,
        })
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &Identifier {
        &self.name
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The indexes of the key's columns in [`Self::columns`], in the order of the key.
    #[must_use]
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// The columns of the key, in its order.
    pub fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|&column_index| &self.columns[column_index])
    }

    /// The indexes in addition to the key.
    #[must_use]
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// The index of this name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name.as_str() == name)
    }

    /// The key of a row of this table.
    #[must_use]
    pub fn key_of(&self, row: &[Value]) -> Key {
        self.key.iter().map(|&column_index| row[column_index].clone()).collect()
    }

    /// Checks that a row fits the columns.
    ///
    /// # Errors
    /// Names the first cell that does not fit.
    pub fn check_row(&self, row: &[Value]) -> Result<(), ShapeError> {
        self.check_cells("row", self.columns.iter(), row)?;
        self.check_index(IndexedColumns::Key, self.key.iter().map(|&column_index| &row[column_index]))?;
        self.indexes.iter().try_for_each(|index| {
            let cells = index.columns.iter().map(|&column_index| &row[column_index]);
            self.check_index(IndexedColumns::Index(index.name.as_str()), cells)
        })
    }

    /// Checks that a key fits the key's columns.
    ///
    /// # Errors
    /// Names the first cell that does not fit.
    pub fn check_key(&self, key: &[Value]) -> Result<(), ShapeError> {
        self.check_cells("key", self.key.iter().map(|&column_index| &self.columns[column_index]), key)?;
        self.check_index(IndexedColumns::Key, key.iter())
    }

    /// Checks that values fit the first columns of an index.
    ///
    /// # Errors
    /// Names the first value that does not fit, or says that there are no values or too many.
    pub fn check_find(&self, index: &Index, values: &[Value]) -> Result<(), ShapeError> {
        let expected = values.len().clamp(1, index.columns.len());
        self.check_cells(
            "find",
            index.columns[..expected].iter().map(|&column_index| &self.columns[column_index]),
            values,
        )
    }

    fn check_cells<'c>(
        &self,
        what: &'static str,
        columns: impl ExactSizeIterator<Item = &'c Column>,
        cells: &[Value],
    ) -> Result<(), ShapeError> {
        if columns.len() != cells.len() {
            let (expected, found) = (columns.len(), cells.len());
            return Err(ShapeError::Length { table: self.name.clone(), what, expected, found });
        }
        columns.zip(cells).try_for_each(|(column, cell)| self.check_cell(column, cell))
    }

    fn check_cell(&self, column: &Column, cell: &Value) -> Result<(), ShapeError> {
        let at = || (self.name.clone(), column.name.clone());
        match cell.column_type() {
            None if column.nullable => {}
            None => {
                let (table, column) = at();
                return Err(ShapeError::Null { table, column });
            }
            Some(found) if found == column.column_type => {}
            Some(found) => {
                let (table, name) = at();
                return Err(ShapeError::Type { table, column: name, expected: column.column_type, found });
            }
        }
        let time = |error| {
            let (table, column) = at();
            ShapeError::Time { table, column, error }
        };
        match cell {
            Value::Text(text) if cells::check_text(text).is_err() => {
                let (table, column) = at();
                Err(ShapeError::Nul { table, column })
            }
            Value::Timestamp(instant) => instant.check().map(drop).map_err(time),
            Value::Date(day) => day.check().map(drop).map_err(time),
            _ => Ok(()),
        }
    }

    fn check_index<'v>(
        &self,
        columns: IndexedColumns<'_>,
        cells: impl Iterator<Item = &'v Value>,
    ) -> Result<(), ShapeError> {
        cells::check_index(columns, cells.map(Value::heap_bytes))
            .map_err(|error| ShapeError::IndexBytes { table: self.name.clone(), error })
    }
}

/// Why cells do not fit the columns of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Too few or too many cells.
    #[error("table `{table}`: a {what} has {expected} values, but the module passed {found}")]
    Length {
        /// The table.
        table: Identifier,
        /// Row, key or find.
        what: &'static str,
        /// The number of cells that fit.
        expected: usize,
        /// The number of cells that were passed.
        found: usize,
    },
    /// A cell of another type.
    #[error("table `{table}`: column `{column}` has type {expected}, but the module passed a value of type {found}")]
    Type {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
        /// Its type.
        expected: ColumnType,
        /// The cell's type.
        found: ColumnType,
    },
    /// A null in a column that is not nullable.
    #[error("table `{table}`: column `{column}` must not be null")]
    Null {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
    },
    /// An instant or a day out of range.
    #[error("table `{table}`: column `{column}`: {error}")]
    Time {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
        /// The value, and the limit.
        error: TimeError,
    },
    /// Values that are too large for an index of Postgres.
    #[error("table `{table}`: {error}")]
    IndexBytes {
        /// The table.
        table: Identifier,
        /// The key or index, and the size of the values.
        error: IndexBytesError,
    },
    /// Text that Postgres cannot hold.
    #[error("table `{table}`: column `{column}`: {}", NulError)]
    Nul {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
    },
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
