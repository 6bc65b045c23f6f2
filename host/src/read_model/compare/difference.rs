//! The result of a comparison.

use serde_json::value::RawValue;

use crate::read_model::{identifier::Identifier, table::Column, value::ColumnType};

/// How one table differs between two sides.
#[derive(Clone, Debug)]
pub struct TableComparison {
    /// The table's name.
    pub table: Identifier,
    /// Whether both sides have the table, with the same columns and the same rows. The order of columns, indexes and nullability
    /// are not compared.
    pub identical: bool,
    /// Rows of the left table; `None` if only the right side has the table.
    pub rows_left: Option<u64>,
    /// Rows of the right table; `None` if only the left side has the table.
    pub rows_right: Option<u64>,
    /// The differences.
    pub outcome: Outcome,
}

/// How far two tables could be compared.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Only the left side has the table.
    OnlyLeft,
    /// Only the right side has the table.
    OnlyRight,
    /// The keys have different columns, so rows cannot be matched. Only the numbers of rows are known.
    OtherKey {
        /// The columns of the left key.
        left_key: Vec<ColumnShape>,
        /// The columns of the right key.
        right_key: Vec<ColumnShape>,
        /// How the columns differ.
        columns: ColumnDifferences,
    },
    /// The rows were compared.
    Compared(RowDifferences),
}

/// A column by name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnShape {
    /// The column's name.
    pub column: Identifier,
    /// What its cells hold.
    pub column_type: ColumnType,
}

/// A column whose type differs between the sides. Its cells are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetypedColumn {
    /// The column's name.
    pub column: Identifier,
    /// What its cells hold on the left.
    pub left: ColumnType,
    /// What its cells hold on the right.
    pub right: ColumnType,
}

/// How the columns of two tables differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnDifferences {
    /// Columns that only the left table has.
    pub only_left: Vec<ColumnShape>,
    /// Columns that only the right table has.
    pub only_right: Vec<ColumnShape>,
    /// Columns that both have with different types.
    pub retyped: Vec<RetypedColumn>,
}

/// How the rows of two tables differ. Rows with equal keys are compared with each other.
#[derive(Clone, Debug)]
pub struct RowDifferences {
    /// The columns of the key, in its order.
    pub key: Vec<Identifier>,
    /// How the columns differ.
    pub columns: ColumnDifferences,
    /// Rows that are only on the right.
    pub added: u64,
    /// Rows that are only on the left.
    pub removed: u64,
    /// Rows on both sides that differ in a common column.
    pub changed: u64,
    /// Rows on both sides that are equal in all common columns.
    pub equal: u64,
    /// For each common column outside of the key, the number of rows that differ in it.
    pub changed_columns: Vec<ColumnCount>,
    /// The first rows of each kind, in the order of the key.
    pub samples: Samples,
}

/// The number of rows that differ in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnCount {
    /// The column's name.
    pub column: Identifier,
    /// The number of rows.
    pub rows: u64,
}

/// Rows that differ, with all their columns, as the read-model API renders them.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Rows that are only on the right.
    pub added: Vec<Box<RawValue>>,
    /// Rows that are only on the left.
    pub removed: Vec<Box<RawValue>>,
    /// Rows on both sides that differ.
    pub changed: Vec<ChangedRow>,
}

/// A row that differs.
#[derive(Clone, Debug)]
pub struct ChangedRow {
    /// The columns that differ.
    pub columns: Vec<Identifier>,
    /// The row on the left.
    pub before: Box<RawValue>,
    /// The row on the right.
    pub after: Box<RawValue>,
}

impl ColumnDifferences {
    /// Whether the columns are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.only_left.is_empty() && self.only_right.is_empty() && self.retyped.is_empty()
    }
}

impl ColumnShape {
    pub(super) fn of(column: &Column) -> Self {
        Self { column: column.name.clone(), column_type: column.column_type }
    }
}
