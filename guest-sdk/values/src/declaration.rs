//! Tables as a projection declares them.

use std::{collections::HashSet, error::Error, fmt};

use crate::{
    cells::IndexedColumns,
    limits::{MAX_COLUMNS, MAX_INDEX_COLUMNS, MAX_INDEXES},
    names::{self, NameError},
};

/// The parts of a table's declaration that are checked.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its columns, in order.
    pub columns: Vec<Column<'a>>,
    /// The columns that identify a row.
    pub key: Vec<&'a str>,
    /// Its indexes beside the key.
    pub indexes: Vec<Index<'a>>,
}

/// A column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its values are ordered.
    pub order: Order,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// How the values of a column are ordered, by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Exactly: it can be in a key and in an index.
    Exact,
    /// As f64 is, whose values are not exact: it can be in an index, but not in a key.
    Inexact,
    /// As json is, not at all: it can be in neither.
    None,
}

/// An index of a [`Table`].
#[derive(Clone, Debug)]
pub struct Index<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its columns, first to last.
    pub columns: Vec<&'a str>,
}

/// What is wrong with a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclarationError {
    /// A name that breaks the rules of names.
    Name {
        /// What has the name.
        owner: String,
        /// Which rule it breaks.
        error: NameError,
    },
    /// A column with a name that Postgres or the query language uses.
    Reserved {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What uses the name.
        owner: &'static str,
    },
    /// Two columns or indexes with one name.
    Twice {
        /// The table.
        table: String,
        /// Column, index, key column …
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A key or an index with a column that the table does not have.
    NoSuchColumn {
        /// The table.
        table: String,
        /// The key or the index.
        user: String,
        /// The missing column.
        column: String,
    },
    /// A column whose values cannot identify a row.
    NoKey {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Nullable, or of which type.
        reason: &'static str,
    },
    /// An index with a column that has no order.
    NoIndex {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// The column.
        column: String,
    },
    /// Too few or too many of something.
    Count {
        /// The table.
        table: String,
        /// What is counted.
        what: String,
        /// How many there are.
        count: usize,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
}

impl fmt::Display for DeclarationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { owner, error } => write!(f, "{owner}: {error}"),
            Self::Reserved { table, column, owner } => {
                write!(f, "table `{table}`: a column must not be called `{column}`, {owner} uses that name")
            }
            Self::Twice { table, what, name } => write!(f, "table `{table}`: {what} `{name}` is declared twice"),
            Self::NoSuchColumn { table, user, column } => {
                write!(f, "table `{table}`: {user} names `{column}`, which is not a column of the table")
            }
            Self::NoKey { table, column, reason } => {
                write!(f, "table `{table}`: column `{column}` cannot be part of the key because it is {reason}")
            }
            Self::NoIndex { table, index, column } => {
                write!(f, "table `{table}`: index `{index}`: column `{column}` is json, which cannot be indexed")
            }
            Self::Count { table, what, count, min, max } => {
                write!(f, "table `{table}`: {what}: {count}; {min} to {max} are allowed")
            }
        }
    }
}

impl Error for DeclarationError {}

/// Checks a declaration, and returns everything that is wrong with it, not only the first error.
#[must_use]
pub fn check(table: &Table<'_>) -> Vec<DeclarationError> {
    let mut check = Check { table, errors: Vec::new() };
    check.name(table.name, || "table".to_owned());

    check.count("columns", table.columns.len(), 1, MAX_COLUMNS);
    check.unique("column", table.columns.iter().map(|column| column.name));
    for column in &table.columns {
        check.column(column);
    }

    check.count("key columns", table.key.len(), 1, MAX_INDEX_COLUMNS);
    check.unique("key column", table.key.iter().copied());
    for column in check.columns_of(IndexedColumns::Key, &table.key) {
        check.key_column(column);
    }

    check.count("indexes", table.indexes.len(), 0, MAX_INDEXES);
    check.unique("index", table.indexes.iter().map(|index| index.name));
    for index in &table.indexes {
        check.index(index);
    }
    check.errors
}

struct Check<'a> {
    table: &'a Table<'a>,
    errors: Vec<DeclarationError>,
}

impl<'a> Check<'a> {
    fn name(&mut self, name: &str, owner: impl Fn() -> String) {
        if let Err(error) = names::check(name) {
            self.errors.push(DeclarationError::Name { owner: owner(), error });
        }
    }

    fn count(&mut self, what: &str, count: usize, min: usize, max: usize) {
        if count < min || count > max {
            let (table, what) = (self.table.name.to_owned(), what.to_owned());
            self.errors.push(DeclarationError::Count { table, what, count, min, max });
        }
    }

    fn unique(&mut self, what: &'static str, names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for name in names.filter(|name| !seen.insert(*name)) {
            let (table, name) = (self.table.name.to_owned(), name.to_owned());
            self.errors.push(DeclarationError::Twice { table, what, name });
        }
    }

    fn column(&mut self, column: &Column<'_>) {
        let table = self.table.name;
        if let Some(owner) = names::owner_of_column_name(column.name) {
            let (table, column) = (table.to_owned(), column.name.to_owned());
            self.errors.push(DeclarationError::Reserved { table, column, owner });
        }
        self.name(column.name, || format!("table `{table}`: column"));
    }

    fn columns_of(&mut self, user: IndexedColumns<'_>, names: &[&str]) -> Vec<Column<'a>> {
        let mut columns = Vec::with_capacity(names.len());
        for &name in names {
            match self.table.columns.iter().find(|column| column.name == name) {
                Some(column) => columns.push(*column),
                None => {
                    let (table, user, column) = (self.table.name.to_owned(), user.to_string(), name.to_owned());
                    self.errors.push(DeclarationError::NoSuchColumn { table, user, column });
                }
            }
        }
        columns
    }

    fn key_column(&mut self, column: Column<'_>) {
        let reason = match column.order {
            _ if column.nullable => "nullable",
            Order::Exact => return,
            Order::Inexact => "f64, whose values are not exact",
            Order::None => "json, which has no order",
        };
        let (table, column) = (self.table.name.to_owned(), column.name.to_owned());
        self.errors.push(DeclarationError::NoKey { table, column, reason });
    }

    fn index(&mut self, index: &Index<'a>) {
        let table = self.table.name;
        self.name(index.name, || format!("table `{table}`: index"));
        let user = IndexedColumns::Index(index.name);
        self.count(&format!("columns of {user}"), index.columns.len(), 1, MAX_INDEX_COLUMNS);
        self.unique("index column", index.columns.iter().copied());
        for column in self.columns_of(user, &index.columns) {
            if column.order == Order::None {
                let (table, index) = (table.to_owned(), index.name.to_owned());
                self.errors.push(DeclarationError::NoIndex { table, index, column: column.name.to_owned() });
            }
        }
    }
}
