//! Declarations of tables.

use crate::schema::ColumnType;

/// The declaration of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [ColumnSchema],
    /// The columns that identify a row.
    pub key: &'static [&'static str],
    /// Its indexes in addition to the key.
    pub indexes: &'static [IndexSchema],
}

impl TableSchema {
    /// The index of the column of this name in `columns`.
    pub(crate) fn index_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|declared| declared.name == column)
    }
}

/// A column of a [`TableSchema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: &'static str,
    /// What its cells hold.
    pub column_type: ColumnType,
    /// Whether a cell may be null.
    pub nullable: bool,
}

/// An index of a [`TableSchema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// Its name.
    pub name: &'static str,
    /// Its columns, first to last.
    pub columns: &'static [&'static str],
}
