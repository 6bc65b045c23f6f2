//! Comparing the tables of two builds, row by row.
//!
//! The work is done by Postgres: it joins the two tables on their key and counts. What does not fit into its memory it keeps on
//! disk, so tables of any size are compared, and exactly.

mod count;
mod pair;
mod sample;
pub(super) mod session;

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::PgConnection;

pub(super) use self::count::rows;
use self::{pair::Pair, sample::Budget};
use super::{
    identifier::Identifier,
    storage::TableSet,
    table::{Column, Table},
    value::ColumnType,
};

/// Samples of each kind that a comparison may be asked for.
pub const MAX_SAMPLES: usize = 100;

/// What became of one table.
#[derive(Clone, Debug, Serialize)]
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
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How far two tables could be compared.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnShape {
    /// The column's name.
    pub column: Identifier,
    /// What its cells hold.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// A column that holds something else on the right than on the left. Its cells are not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RetypedColumn {
    /// The column's name.
    pub column: Identifier,
    /// What its cells hold on the left.
    pub left: ColumnType,
    /// What its cells hold on the right.
    pub right: ColumnType,
}

/// How the columns of two tables differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ColumnDifferences {
    /// Columns that the right table has not.
    pub only_left: Vec<ColumnShape>,
    /// Columns that the left table has not.
    pub only_right: Vec<ColumnShape>,
    /// Columns of both whose type differs.
    pub retyped: Vec<RetypedColumn>,
}

/// How the rows of two tables differ. Rows are one if their keys are.
#[derive(Clone, Debug, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnCount {
    /// The column's name.
    pub column: Identifier,
    /// Rows.
    pub rows: u64,
}

/// Rows that differ, whole, as the read-model API renders them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Samples {
    /// Rows that are only on the right.
    pub added: Vec<Box<RawValue>>,
    /// Rows that are only on the left.
    pub removed: Vec<Box<RawValue>>,
    /// Rows of both that differ.
    pub changed: Vec<ChangedRow>,
}

/// A row that differs.
#[derive(Clone, Debug, Serialize)]
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
    fn of(column: &Column) -> Self {
        Self { column: column.name.clone(), column_type: column.column_type }
    }
}

/// Compares the tables of two builds: those of the left in their order, then those that only the right has.
///
/// `connection` is in a transaction that reads one snapshot (REPEATABLE READ); settings of that transaction are changed. Of
/// each kind of difference at most `samples` rows are shown ([`MAX_SAMPLES`]), and fewer where rows are large.
///
/// # Errors
/// Postgres fails, or a table is gone.
pub async fn compare(
    connection: &mut PgConnection,
    left: &TableSet,
    right: &TableSet,
    samples: usize,
) -> Result<Vec<TableComparison>, sqlx::Error> {
    session::prepare(connection).await?;
    let mut budget = Budget::new(samples.min(MAX_SAMPLES));
    let mut tables = Vec::new();
    for table in left.tables() {
        tables.push(match right.table(table.name().as_str()) {
            Some(other) => {
                let pair = Pair::new((left.schema(), table), (right.schema(), other));
                compare_pair(connection, &pair, &mut budget).await?
            }
            None => {
                let count = Some(rows(connection, left.schema(), table).await?);
                alone(table, count, None, Outcome::OnlyLeft)
            }
        });
    }
    for table in right.tables().filter(|table| left.table(table.name().as_str()).is_none()) {
        let count = Some(rows(connection, right.schema(), table).await?);
        tables.push(alone(table, None, count, Outcome::OnlyRight));
    }
    Ok(tables)
}

fn alone(table: &Table, rows_left: Option<u64>, rows_right: Option<u64>, outcome: Outcome) -> TableComparison {
    TableComparison { table: table.name().clone(), identical: false, rows_left, rows_right, outcome }
}

async fn compare_pair(
    connection: &mut PgConnection,
    pair: &Pair<'_>,
    budget: &mut Budget,
) -> Result<TableComparison, sqlx::Error> {
    let columns = pair.column_differences();
    if let Some((left_key, right_key)) = pair.other_key() {
        let left = rows(connection, pair.left.0, pair.left.1).await?;
        let right = rows(connection, pair.right.0, pair.right.1).await?;
        let outcome = Outcome::OtherKey { left_key, right_key, columns };
        return Ok(alone(pair.left.1, Some(left), Some(right), outcome));
    }
    let counts = count::differences(connection, pair).await?;
    let (added, removed) = (counts.right - counts.both, counts.left - counts.both);
    let samples = Samples {
        added: budget.added(connection, pair, added).await?,
        removed: budget.removed(connection, pair, removed).await?,
        changed: budget.changed(connection, pair, counts.changed).await?,
    };
    Ok(TableComparison {
        table: pair.left.1.name().clone(),
        identical: columns.is_empty() && added == 0 && removed == 0 && counts.changed == 0,
        rows_left: Some(counts.left),
        rows_right: Some(counts.right),
        outcome: Outcome::Compared(RowDifferences {
            key: pair.left.1.key_columns().map(|column| column.name.clone()).collect(),
            columns,
            added,
            removed,
            changed: counts.changed,
            equal: counts.both - counts.changed,
            changed_columns: counts.columns,
            samples,
        }),
    })
}

#[cfg(test)]
mod tests;
