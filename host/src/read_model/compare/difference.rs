//! What a comparison comes to.

use serde_json::value::RawValue;

use crate::read_model::{identifier::Identifier, table::Column, value::ColumnType};

/// What became of one table.
#[derive(Clone, Debug)]
pub struct TableComparison {
    /// The table's name.
    pub table: Identifier,
    /// Whether both sides have it, with the same columns and the same rows. The order in which columns are declared, indexes
    /// and whether a column may be null do not count.
    pub identical: bool,
    /// Rows of the left table; none if there is no such table on the left.
    pub rows_left: Option<u64>,
    /// Rows of the right table; none if there is no such table on the right.
    pub rows_right: Option<u64>,
    /// The rest.
    pub outcome: Outcome,
}

/// How far two tables could be compared.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Only the left side has the table.
    OnlyLeft,
    /// Only the right side has the table.
    OnlyRight,
    /// The keys differ in their columns, so that no row of one can be told to be that of the other. Only rows are counted.
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

/// A column that holds something else on the right than on the left. Its cells are not compared.
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
    /// Columns that the right table has not.
    pub only_left: Vec<ColumnShape>,
    /// Columns that the left table has not.
    pub only_right: Vec<ColumnShape>,
    /// Columns of both whose type differs.
    pub retyped: Vec<RetypedColumn>,
}

/// How the rows of two tables differ. Rows are one if their keys are.
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
    /// Rows of both that differ in a column that both have.
    pub changed: u64,
    /// Rows of both that do not.
    pub equal: u64,
    /// For each column that both have, beside the key, in how many rows it differs.
    pub changed_columns: Vec<ColumnCount>,
    /// The first of each kind, in the order of the key.
    pub samples: Samples,
}

/// In how many rows a column differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnCount {
    /// The column's name.
    pub column: Identifier,
    /// Rows.
    pub rows: u64,
}

/// Rows that differ, whole, as the read-model API renders them.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Rows that are only on the right.
    pub added: Vec<Box<RawValue>>,
    /// Rows that are only on the left.
    pub removed: Vec<Box<RawValue>>,
    /// Rows of both that differ.
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
    /// Whether there are none.
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
