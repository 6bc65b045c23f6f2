//! The tables that a projection declares.

use std::collections::HashSet;

use gnomon_values::{Day, Instant, TimeError};
use serde::{Deserialize, Serialize};

use super::{
    identifier::{Identifier, IdentifierError},
    value::{ColumnType, Key, Value},
};

/// A table as a module declares it, before anything is checked. This is the form that is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDeclaration {
    /// The table's name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDeclaration>,
    /// The columns that identify a row.
    pub key: Vec<String>,
    /// Its indexes beside the key.
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

/// A declared table that keeps every rule. Columns are meant by their place.
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
    /// The places of its columns, first to last.
    pub columns: Vec<usize>,
}

/// What is wrong with a declaration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// A name that breaks the rules of names.
    #[error("{place}: {error}")]
    Name {
        /// Where the name stands.
        place: String,
        /// Which rule it breaks.
        error: IdentifierError,
    },
    /// A name that Postgres or the query language keeps for itself.
    #[error("table `{table}`: a column must not be called `{column}`, {owner} uses that name")]
    Reserved {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Who uses the name.
        owner: &'static str,
    },
    /// Two of one name.
    #[error("table `{table}`: {what} `{name}` is declared twice")]
    Twice {
        /// The table.
        table: String,
        /// Column, index, key column …
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A key or index over a column that is not there.
    #[error("table `{table}`: {place} names `{column}`, which is no column of the table")]
    NoSuchColumn {
        /// The table.
        table: String,
        /// The key, or which index.
        place: String,
        /// The missing column.
        column: String,
    },
    /// A column whose values cannot identify a row.
    #[error("table `{table}`: column `{column}` cannot be part of the key because it is {reason}")]
    NoKey {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Nullable, or of which type.
        reason: &'static str,
    },
    /// A column that a B-tree cannot order.
    #[error("table `{table}`: index `{index}`: column `{column}` is json, which cannot be indexed")]
    NoIndex {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// The column.
        column: String,
    },
    /// Too few or too many of something.
    #[error("table `{table}`: {what}: {count}; {min} to {max} are allowed")]
    Count {
        /// The table.
        table: String,
        /// Of what.
        what: String,
        /// How many there are.
        count: usize,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
}

/// Query parameters that stand for something else than a filter on a column.
const QUERY_WORDS: [&str; 9] = ["select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict"];
/// Columns that every Postgres table has.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

impl Table {
    /// Columns that a table may have; Postgres itself allows 1,600 at most.
    pub const MAX_COLUMNS: usize = 250;
    /// Columns that a key or an index may have.
    pub const MAX_INDEX_COLUMNS: usize = 16;
    /// Indexes that a table may have beside its key.
    pub const MAX_INDEXES: usize = 16;
    /// Bytes of text, decimals and bytes that a key or an index may have together: Postgres refuses an entry of a B-tree
    /// that takes more than 2,704, of which sixteen columns may need 16 each beside these.
    pub const MAX_INDEX_BYTES: usize = 2400;

    /// Checks a declaration.
    ///
    /// # Errors
    /// Everything that is wrong with it, not just the first thing.
    pub fn check(declaration: &TableDeclaration) -> Result<Self, Vec<DeclarationError>> {
        let mut check = Check { table: &declaration.name, errors: Vec::new() };
        let name = check.name(&declaration.name, || "table".to_owned());

        check.count("columns", declaration.columns.len(), 1, Self::MAX_COLUMNS);
        check.unique("column", declaration.columns.iter().map(|column| column.name.as_str()));
        let columns: Vec<Column> = declaration.columns.iter().filter_map(|column| check.column(column)).collect();

        check.count("key columns", declaration.key.len(), 1, Self::MAX_INDEX_COLUMNS);
        check.unique("key column", declaration.key.iter().map(String::as_str));
        let key = check.places(declaration, "the key", &declaration.key);
        for &place in &key {
            check.key_column(&declaration.columns[place]);
        }

        check.count("indexes", declaration.indexes.len(), 0, Self::MAX_INDEXES);
        check.unique("index", declaration.indexes.iter().map(|index| index.name.as_str()));
        let indexes: Vec<Index> =
            declaration.indexes.iter().filter_map(|index| check.index(declaration, index)).collect();

        match name {
            Some(name) if check.errors.is_empty() => Ok(Self { name, columns, key, indexes }),
            _ => Err(check.errors),
        }
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

    /// The places of the key's columns, in the order of the key.
    #[must_use]
    pub fn key(&self) -> &[usize] {
        &self.key
    }

    /// The columns of the key, in its order.
    pub fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().map(|&place| &self.columns[place])
    }

    /// The indexes beside the key.
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
        self.key.iter().map(|&place| row[place].clone()).collect()
    }

    /// Checks that a row fits the columns.
    ///
    /// # Errors
    /// Names the first cell that does not fit.
    pub fn check_row(&self, row: &[Value]) -> Result<(), ShapeError> {
        self.check_cells("row", self.columns.iter(), row)?;
        self.check_index_bytes("the key", self.key.iter().map(|&place| &row[place]))?;
        self.indexes.iter().try_for_each(|index| {
            let cells = index.columns.iter().map(|&place| &row[place]);
            self.check_index_bytes(format_args!("index `{}`", index.name), cells)
        })
    }

    /// Checks that a key fits the key's columns.
    ///
    /// # Errors
    /// Names the first cell that does not fit.
    pub fn check_key(&self, key: &[Value]) -> Result<(), ShapeError> {
        self.check_cells("key", self.key.iter().map(|&place| &self.columns[place]), key)?;
        self.check_index_bytes("the key", key.iter())
    }

    /// Checks that values fit the first columns of an index.
    ///
    /// # Errors
    /// Names the first value that does not fit, or says that there are none or too many.
    pub fn check_find(&self, index: &Index, values: &[Value]) -> Result<(), ShapeError> {
        let expected = values.len().clamp(1, index.columns.len());
        self.check_cells("find", index.columns[..expected].iter().map(|&place| &self.columns[place]), values)
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
            Value::Text(text) if text.contains('\0') => {
                let (table, column) = at();
                Err(ShapeError::Nul { table, column })
            }
            Value::Timestamp(micros) => Instant(*micros).check().map(drop).map_err(time),
            Value::Date(days) => Day(*days).check().map(drop).map_err(time),
            _ => Ok(()),
        }
    }

    fn check_index_bytes<'v>(
        &self,
        place: impl std::fmt::Display,
        cells: impl Iterator<Item = &'v Value>,
    ) -> Result<(), ShapeError> {
        let bytes: usize = cells.map(Value::heap_bytes).sum();
        if bytes <= Self::MAX_INDEX_BYTES {
            return Ok(());
        }
        Err(ShapeError::IndexBytes { table: self.name.clone(), place: place.to_string(), bytes })
    }
}

/// Why cells do not fit the columns of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Too few or too many cells.
    #[error("table `{table}`: a {what} takes {expected} values, {found} came")]
    Length {
        /// The table.
        table: Identifier,
        /// Row, key or find.
        what: &'static str,
        /// How many cells fit.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A cell of another type.
    #[error("table `{table}`: column `{column}` holds {}, a value of type {} came", expected.name(), found.name())]
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
    /// No value where one is needed.
    #[error("table `{table}`: column `{column}` must not be null")]
    Null {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
    },
    /// An instant or a day beyond those that are kept.
    #[error("table `{table}`: column `{column}`: {error}")]
    Time {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
        /// What came, and the limit.
        error: TimeError,
    },
    /// Values that no index of Postgres can hold.
    #[error(
        "table `{table}`: the values of {place} have {bytes} bytes; an index holds at most {} (put a digest there instead)",
        Table::MAX_INDEX_BYTES
    )]
    IndexBytes {
        /// The table.
        table: Identifier,
        /// The key, or which index.
        place: String,
        /// How many bytes came.
        bytes: usize,
    },
    /// Text that Postgres cannot hold.
    #[error("table `{table}`: column `{column}`: the text contains NUL (\\0), which Postgres cannot hold")]
    Nul {
        /// The table.
        table: Identifier,
        /// The column.
        column: Identifier,
    },
}

struct Check<'a> {
    table: &'a str,
    errors: Vec<DeclarationError>,
}

impl Check<'_> {
    fn name(&mut self, name: &str, place: impl Fn() -> String) -> Option<Identifier> {
        Identifier::new(name).map_err(|error| self.errors.push(DeclarationError::Name { place: place(), error })).ok()
    }

    fn count(&mut self, what: &str, count: usize, min: usize, max: usize) {
        if count < min || count > max {
            let (table, what) = (self.table.to_owned(), what.to_owned());
            self.errors.push(DeclarationError::Count { table, what, count, min, max });
        }
    }

    fn unique<'n>(&mut self, what: &'static str, names: impl Iterator<Item = &'n str>) {
        let mut seen = HashSet::new();
        for name in names {
            if !seen.insert(name) {
                self.errors.push(DeclarationError::Twice { table: self.table.to_owned(), what, name: name.to_owned() });
            }
        }
    }

    fn column(&mut self, column: &ColumnDeclaration) -> Option<Column> {
        let table = self.table.to_owned();
        let owner = if QUERY_WORDS.contains(&column.name.as_str()) {
            Some("the query language of the HTTP API")
        } else if SYSTEM_COLUMNS.contains(&column.name.as_str()) {
            Some("Postgres")
        } else {
            None
        };
        if let Some(owner) = owner {
            self.errors.push(DeclarationError::Reserved { table: table.clone(), column: column.name.clone(), owner });
        }
        let name = self.name(&column.name, || format!("table `{table}`: column"))?;
        Some(Column { name, column_type: column.column_type, nullable: column.nullable })
    }

    fn places(&mut self, declaration: &TableDeclaration, place: &str, names: &[String]) -> Vec<usize> {
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            match declaration.columns.iter().position(|column| column.name == *name) {
                Some(found) => places.push(found),
                None => self.errors.push(DeclarationError::NoSuchColumn {
                    table: self.table.to_owned(),
                    place: place.to_owned(),
                    column: name.clone(),
                }),
            }
        }
        places
    }

    fn key_column(&mut self, column: &ColumnDeclaration) {
        let reason = match column.column_type {
            _ if column.nullable => "nullable",
            ColumnType::F64 => "f64, whose values are not exact",
            ColumnType::Json => "json, which has no order",
            _ => return,
        };
        let (table, column) = (self.table.to_owned(), column.name.clone());
        self.errors.push(DeclarationError::NoKey { table, column, reason });
    }

    fn index(&mut self, declaration: &TableDeclaration, index: &IndexDeclaration) -> Option<Index> {
        let table = self.table.to_owned();
        let name = self.name(&index.name, || format!("table `{table}`: index"));
        let place = format!("index `{}`", index.name);
        self.count(&format!("columns of {place}"), index.columns.len(), 1, Table::MAX_INDEX_COLUMNS);
        self.unique("index column", index.columns.iter().map(String::as_str));
        let columns = self.places(declaration, &place, &index.columns);
        for &place in &columns {
            let column = &declaration.columns[place];
            if column.column_type == ColumnType::Json {
                let (index, column) = (index.name.clone(), column.name.clone());
                self.errors.push(DeclarationError::NoIndex { table: table.clone(), index, column });
            }
        }
        Some(Index { name: name?, columns })
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
