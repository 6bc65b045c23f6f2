//! Compares the tables of two builds, row by row.
//!
//! Postgres joins the two tables on their key and counts. It keeps on disk what does not fit into its memory, so tables of any
//! size are compared exactly.

mod count;
mod difference;
mod pair;
mod sample;
pub(super) mod session;

use sqlx::PgConnection;

pub(super) use self::count::rows;
pub use self::difference::{
    ChangedRow, ColumnCount, ColumnDifferences, ColumnShape, Outcome, RetypedColumn, RowDifferences, Samples,
    TableComparison,
};
use self::{pair::Pair, sample::Budget};
use super::{storage::TableSet, table::Table};

/// Compares the tables of two builds: those of the left side in their order, then those that only the right side has.
///
/// `connection` is in a transaction that reads one snapshot (REPEATABLE READ); settings of that transaction are changed. At most
/// `samples` rows of each kind of difference are returned, and fewer if rows are large.
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
    let mut budget = Budget::new(samples);
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
