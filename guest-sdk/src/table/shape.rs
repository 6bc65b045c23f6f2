//! Declarations of tables.

pub use gnomon_values::full_text::Weight;
use gnomon_values::names::is_equal;

use crate::schema::ColumnType;

/// The declaration of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: &'static str,
    /// The first paragraph of the doc comment on its row.
    pub description: Option<&'static str>,
    /// Its columns, in order.
    pub columns: &'static [ColumnSchema],
    /// The columns that identify a row.
    pub key: &'static [&'static str],
    /// Its indexes in addition to the key.
    pub indexes: &'static [IndexSchema],
    /// Which of its columns are keys of which tables.
    pub references: &'static [ReferenceSchema],
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
    /// The first paragraph of the doc comment on its field.
    pub description: Option<&'static str>,
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
    /// What it is over.
    pub kind: IndexKind,
}

/// What an [`IndexSchema`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// The values of columns, first to last.
    Btree(&'static [&'static str]),
    /// What json and arrays contain.
    Gin(&'static [&'static str]),
    /// The words of texts.
    FullText {
        /// The language of the texts.
        language: &'static str,
        /// The columns, and how much the words of each count.
        columns: &'static [(&'static str, Weight)],
    },
}

/// Columns of a [`TableSchema`] whose values are a key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceSchema {
    /// The columns, in the order of that key.
    pub columns: &'static [&'static str],
    /// The table with the key.
    pub table: &'static str,
}

/// Checks a reference at compile time: that the columns have the types of the key of the table that they reference.
#[doc(hidden)]
pub const fn check_reference(columns: &[ColumnType], target: &TableSchema) {
    assert!(
        columns.len() == target.key.len(),
        "the reference has not as many columns as the key of the table: name a column for each with \
         #[references(…, columns(…))] on the struct"
    );
    let mut index = 0;
    while index < columns.len() {
        let mut column = 0;
        while column < target.columns.len() {
            if is_equal(target.columns[column].name, target.key[index]) {
                assert!(
                    target.columns[column].column_type as u8 == columns[index] as u8,
                    "a column of the reference has another type than the column of the key that it references"
                );
            }
            column += 1;
        }
        index += 1;
    }
}
