//! Tables as a projection declares them.

use std::{collections::HashSet, error::Error, fmt};

use crate::{
    cells::IndexedColumns,
    description, full_text,
    limits::{MAX_COLUMNS, MAX_INDEX_COLUMNS, MAX_INDEXES, MAX_REFERENCES},
    names::{self, NameError},
    value::ColumnType,
};

/// The parts of a table's declaration that are checked.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// Its columns, in order.
    pub columns: Vec<Column<'a>>,
    /// The columns that identify a row.
    pub key: Vec<&'a str>,
    /// Its indexes beside the key.
    pub indexes: Vec<Index<'a>>,
    /// Which of its columns are keys of which tables.
    pub references: Vec<Reference<'a>>,
}

impl<'a> Table<'a> {
    /// The column of this name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column<'a>> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// What its cells hold.
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// An index of a [`Table`].
#[derive(Clone, Debug)]
pub struct Index<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is over.
    pub kind: IndexKind<'a>,
}

/// What an [`Index`] is over.
#[derive(Clone, Debug)]
pub enum IndexKind<'a> {
    /// The values of columns, first to last.
    Btree(Vec<&'a str>),
    /// What json and arrays contain.
    Gin(Vec<&'a str>),
    /// The words of texts.
    FullText {
        /// The language of the texts; see [`full_text::LANGUAGES`].
        language: &'a str,
        /// The columns.
        columns: Vec<&'a str>,
    },
}

/// Columns of a [`Table`] whose values are a key of a table.
#[derive(Clone, Debug)]
pub struct Reference<'a> {
    /// The columns, in the order of that key.
    pub columns: Vec<&'a str>,
    /// The table with the key.
    pub table: &'a str,
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
    /// An index with a column of which it can hold nothing.
    NoIndex {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// The column.
        column: String,
        /// Its type.
        column_type: ColumnType,
        /// What the index needs.
        needs: &'static str,
    },
    /// An index that has the name of a column, which queries could not tell apart.
    IndexIsColumn {
        /// The table.
        table: String,
        /// The name.
        name: String,
    },
    /// A full-text index in a language that Postgres does not know.
    Language {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// Which languages there are.
        reason: String,
    },
    /// A description that is empty, too long, or has control characters.
    Description {
        /// Table, column … with its name.
        owner: String,
        /// What is wrong with it.
        reason: String,
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
            Self::NoIndex { table, index, column, column_type, needs } => {
                write!(
                    f,
                    "table `{table}`: index `{index}`: column `{column}` is {column_type}, but the index needs {needs}"
                )
            }
            Self::IndexIsColumn { table, name } => {
                write!(
                    f,
                    "table `{table}`: index `{name}` has the name of a column; queries name full-text indexes like columns"
                )
            }
            Self::Language { table, index, reason } => write!(f, "table `{table}`: index `{index}`: {reason}"),
            Self::Description { owner, reason } => write!(f, "{owner}: the description {reason}"),
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
    check.description(table.description, || format!("table `{}`", table.name));

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

    check.count("references", table.references.len(), 0, MAX_REFERENCES);
    for reference in &table.references {
        check.reference(reference);
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
        self.description(column.description, || format!("table `{table}`: column `{}`", column.name));
    }

    fn description(&mut self, text: Option<&str>, owner: impl Fn() -> String) {
        if let Some(Err(reason)) = text.map(description::check) {
            self.errors.push(DeclarationError::Description { owner: owner(), reason });
        }
    }

    fn columns_of(&mut self, user: IndexedColumns<'_>, names: &[&str]) -> Vec<Column<'a>> {
        let mut columns = Vec::with_capacity(names.len());
        for &name in names {
            match self.table.column(name) {
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
        let reason = if column.nullable { Some("nullable") } else { column.column_type.not_a_key() };
        let Some(reason) = reason else { return };
        let (table, column) = (self.table.name.to_owned(), column.name.to_owned());
        self.errors.push(DeclarationError::NoKey { table, column, reason });
    }

    fn index(&mut self, index: &Index<'a>) {
        let table = self.table.name;
        self.name(index.name, || format!("table `{table}`: index"));
        let user = IndexedColumns::Index(index.name);
        let (columns, fits, needs): (_, fn(ColumnType) -> bool, _) = match &index.kind {
            IndexKind::Btree(columns) => (
                columns,
                ColumnType::has_order,
                "values that have an order; a gin index finds what json and arrays contain",
            ),
            IndexKind::Gin(columns) => (columns, ColumnType::has_elements, "json or arrays"),
            IndexKind::FullText { language, columns } => {
                if let Err(reason) = full_text::check_language(language) {
                    let (table, index) = (table.to_owned(), index.name.to_owned());
                    self.errors.push(DeclarationError::Language { table, index, reason });
                }
                if self.table.columns.iter().any(|column| column.name == index.name) {
                    let (table, name) = (table.to_owned(), index.name.to_owned());
                    self.errors.push(DeclarationError::IndexIsColumn { table, name });
                }
                (columns, ColumnType::has_words, "text")
            }
        };
        self.count(&format!("columns of {user}"), columns.len(), 1, MAX_INDEX_COLUMNS);
        self.unique("index column", columns.iter().copied());
        for Column { name, column_type, .. } in self.columns_of(user, columns) {
            if !fits(column_type) {
                let (table, index, column) = (table.to_owned(), index.name.to_owned(), name.to_owned());
                self.errors.push(DeclarationError::NoIndex { table, index, column, column_type, needs });
            }
        }
    }

    fn reference(&mut self, reference: &Reference<'a>) {
        let user = IndexedColumns::Reference(reference.table);
        self.count(&format!("columns of {user}"), reference.columns.len(), 1, MAX_INDEX_COLUMNS);
        self.columns_of(user, &reference.columns);
    }
}
