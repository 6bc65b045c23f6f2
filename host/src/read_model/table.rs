//! The tables of a projection, checked: what its declarations mean.

use gnomon_values::{
    LocalTimeError, TimeError,
    cells::{self, IndexBytesError, IndexedColumns, NulError},
    declaration::{self, DeclarationError},
    full_text::Weight,
};

use super::{
    declaration::{
        ColumnDeclaration, IndexDeclaration, IndexKindDeclaration, ReferenceDeclaration, TableDeclaration,
        WeightedColumn,
    },
    identifier::Identifier,
    value::{ColumnType, Key, Value},
};

/// A declared table that is valid. Keys and indexes refer to columns by their index in [`Table::columns`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: Identifier,
    description: Option<String>,
    columns: Vec<Column>,
    key: Vec<usize>,
    indexes: Vec<Index>,
    references: Vec<Reference>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: Identifier,
    /// What it means, as the author says.
    pub description: Option<String>,
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
    /// What it is over.
    pub kind: IndexKind,
}

/// What an [`Index`] is over. Columns are their indexes in [`Table::columns`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// The values of columns, first to last.
    Btree(Vec<usize>),
    /// What json and arrays contain.
    Gin(Vec<usize>),
    /// The words of texts.
    FullText {
        /// The language of the texts: one of the configurations that every Postgres has.
        language: String,
        /// The columns, and how much the words of each count.
        columns: Vec<(usize, Weight)>,
    },
}

impl Index {
    /// Whether it is over the words of texts; queries then name it like a column.
    #[must_use]
    pub fn is_full_text(&self) -> bool {
        matches!(self.kind, IndexKind::FullText { .. })
    }

    /// The columns of a B-tree, first to last; none for an index of another kind, by which `find` cannot search.
    #[must_use]
    pub fn btree(&self) -> &[usize] {
        match &self.kind {
            IndexKind::Btree(columns) => columns,
            IndexKind::Gin(_) | IndexKind::FullText { .. } => &[],
        }
    }
}

/// Columns of a [`Table`] whose values are a key of a table of the same projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The indexes of the columns in [`Table::columns`], in the order of that key.
    pub columns: Vec<usize>,
    /// The table with the key.
    pub table: Identifier,
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
        let column_indexes = |names: &[String]| names.iter().map(column_index).collect::<Option<Vec<_>>>();
        let column = |column: &ColumnDeclaration| {
            let ColumnDeclaration { ref name, ref description, column_type, nullable } = *column;
            Some(Column { name: identifier(name)?, description: description.clone(), column_type, nullable })
        };
        let index = |index: &IndexDeclaration| {
            let kind = match &index.kind {
                IndexKindDeclaration::Btree { columns } => IndexKind::Btree(column_indexes(columns)?),
                IndexKindDeclaration::Gin { columns } => IndexKind::Gin(column_indexes(columns)?),
                IndexKindDeclaration::FullText { language, columns } => {
                    let weighted = |its: &WeightedColumn| Some((column_index(&its.column)?, its.weight));
                    let columns = columns.iter().map(weighted).collect::<Option<_>>()?;
                    IndexKind::FullText { language: language.clone(), columns }
                }
            };
            Some(Index { name: identifier(&index.name)?, kind })
        };
        let reference = |reference: &ReferenceDeclaration| {
            Some(Reference { columns: column_indexes(&reference.columns)?, table: identifier(&reference.table)? })
        };
        Some(Self {
            name: identifier(&declaration.name)?,
            description: declaration.description.clone(),
            columns: declaration.columns.iter().map(column).collect::<Option<_>>()?,
            key: column_indexes(&declaration.key)?,
            indexes: declaration.indexes.iter().map(index).collect::<Option<_>>()?,
            references: declaration.references.iter().map(reference).collect::<Option<_>>()?,
        })
    }

    /// What a row is, as the author says.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Which of its columns are keys of which tables.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
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
        for index in &self.indexes {
            let named = IndexedColumns::Index(index.name.as_str());
            match &index.kind {
                IndexKind::Btree(columns) => self.check_index(named, columns.iter().map(|&column| &row[column]))?,
                IndexKind::Gin(columns) => {
                    columns.iter().try_for_each(|&column| self.check_elements(named, &row[column]))?;
                }
                IndexKind::FullText { .. } => {}
            }
        }
        Ok(())
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
        let not_found = |reason| ShapeError::NotFound { table: self.name.clone(), index: index.name.clone(), reason };
        let IndexKind::Btree(columns) = &index.kind else {
            return Err(not_found("it is not a B-tree; gin and full-text indexes are for queries"));
        };
        let expected = values.len().clamp(1, columns.len());
        let searched = columns[..expected].iter().map(|&column_index| &self.columns[column_index]);
        if searched.clone().any(|column| !column.column_type.can_be_found()) {
            return Err(not_found(
                "only queries compare case-insensitive text; keep a lower-case copy as text, and search for that",
            ));
        }
        self.check_cells("find", searched, values)
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
        let local_time = |error| {
            let (table, column) = at();
            ShapeError::LocalTime { table, column, error }
        };
        match cell {
            Value::Text(text) | Value::CiText(text) if cells::check_text(text).is_err() => {
                let (table, column) = at();
                Err(ShapeError::Nul { table, column })
            }
            Value::TextArray(texts) if texts.iter().any(|text| cells::check_text(text).is_err()) => {
                let (table, column) = at();
                Err(ShapeError::Nul { table, column })
            }
            Value::LocalTimestamp(local) => local.check().map(drop).map_err(local_time),
            Value::Time(time) => time.check().map(drop).map_err(local_time),
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

    /// Checks the texts of an array in an index, each of which is an entry of its own.
    fn check_elements(&self, columns: IndexedColumns<'_>, cell: &Value) -> Result<(), ShapeError> {
        let Value::TextArray(texts) = cell else { return Ok(()) };
        cells::check_elements(columns, texts.iter().map(String::len))
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
    /// A time without a time zone, out of range.
    #[error("table `{table}`: column `{column}`: {error}")]
    LocalTime {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
        /// The value, and the limit.
        error: LocalTimeError,
    },
    /// An index by which `find` cannot search.
    #[error("table `{table}`: find cannot search by the index `{index}`: {reason}")]
    NotFound {
        /// The table.
        table: Identifier,
        /// The index.
        index: Identifier,
        /// Why not, and the way out.
        reason: &'static str,
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
