//! Counts the rows that differ.

use std::fmt::Write as _;

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    difference::ColumnCount,
    pair::{Pair, qualified},
};
use crate::read_model::{identifier::Identifier, table::Table};

/// Numbers of rows of two tables.
pub(super) struct Counts {
    pub(super) left: u64,
    pub(super) right: u64,
    /// Keys that both tables have.
    pub(super) both: u64,
    /// Rows with these keys that differ in a common column.
    pub(super) changed: u64,
    /// For each common column, the rows that differ in it.
    pub(super) columns: Vec<ColumnCount>,
}

/// Counts the rows of a table.
pub(in crate::read_model) async fn rows(
    connection: &mut PgConnection,
    schema: &Identifier,
    table: &Table,
) -> Result<u64, sqlx::Error> {
    let statement = format!("SELECT count(*) FROM {}", qualified((schema, table)));
    // Safe: made of checked identifiers.
    let row = sqlx::query(&statement).persistent(false).fetch_one(connection).await?;
    number(&row, 0)
}

/// Counts the differences in one pass over both tables.
pub(super) async fn differences(connection: &mut PgConnection, pair: &Pair<'_>) -> Result<Counts, sqlx::Error> {
    // Safe: made of checked identifiers and constant text.
    let statement = statement(pair);
    let row = sqlx::query(&statement).persistent(false).fetch_one(connection).await?;
    let columns = pair.common.iter().enumerate().map(|(index, column)| {
        let rows = number(&row, 4 + index)?;
        Ok(ColumnCount { column: column.name.clone(), rows })
    });
    Ok(Counts {
        left: number(&row, 0)?,
        right: number(&row, 1)?,
        both: number(&row, 2)?,
        changed: number(&row, 3)?,
        columns: columns.collect::<Result<_, sqlx::Error>>()?,
    })
}

fn statement(pair: &Pair<'_>) -> String {
    let count = |filter: &str| format!("count(*) FILTER (WHERE {filter})");
    let flags: Vec<String> = (0..pair.common.len()).map(|index| format!("d{index}")).collect();
    let changed = if flags.is_empty() { "false".to_owned() } else { flags.join(" OR ") };
    let mut counts = vec![count("l"), count("r"), count("l AND r"), count(&format!("l AND r AND ({changed})"))];
    counts.extend(flags.iter().map(|flag| count(&format!("l AND r AND {flag}"))));

    // Key columns are never null, so a null means that the join found no row on that side.
    let key = pair.left.1.key_columns().next().map(|column| column.name.quoted()).unwrap_or_default();
    let mut flags = format!("\"Left\".{key} IS NOT NULL AS l, \"Right\".{key} IS NOT NULL AS r");
    for (index, difference) in pair.differences().enumerate() {
        let _ = write!(flags, ", {difference} AS d{index}");
    }
    // OFFSET 0 prevents Postgres from inlining each comparison wherever its flag is used: each is computed once per row.
    format!(
        "SELECT {} FROM (SELECT {flags} FROM {} FULL JOIN {} ON {} OFFSET 0) AS pairs",
        counts.join(", "),
        pair.left_source(),
        pair.right_source(),
        pair.same_key()
    )
}

fn number(row: &PgRow, index: usize) -> Result<u64, sqlx::Error> {
    // Counts are not negative.
    Ok(row.try_get::<i64, _>(index)?.unsigned_abs())
}
