//! What two builds hold, as a host tells of it.

use serde::Deserialize;

use crate::cli::row::Row;

/// How two builds differ at one position.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Comparison {
    pub(in crate::cli) projection: String,
    pub(in crate::cli) position: u64,
    pub(in crate::cli) left: Side,
    pub(in crate::cli) right: Side,
    pub(in crate::cli) identical: bool,
    pub(in crate::cli) tables: Vec<TableDifferences>,
}

/// A build that is compared.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Side {
    pub(in crate::cli) build: u64,
    pub(in crate::cli) version: u64,
}

/// What became of one table.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct TableDifferences {
    pub(super) table: String,
    pub(super) identical: bool,
    pub(super) rows_left: Option<u64>,
    pub(super) rows_right: Option<u64>,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// How far two tables could be compared.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    OnlyLeft,
    OnlyRight,
    OtherKey { left_key: Vec<Column>, right_key: Vec<Column>, columns: Columns },
    Compared(Rows),
}

#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub(super) column: String,
    #[serde(rename = "type")]
    pub(super) column_type: String,
}

/// A column that holds something else on the right than on the left.
#[derive(Debug, Deserialize)]
pub(super) struct Retyped {
    pub(super) column: String,
    pub(super) left: String,
    pub(super) right: String,
}

/// How the columns differ.
#[derive(Debug, Deserialize)]
pub(super) struct Columns {
    pub(super) only_left: Vec<Column>,
    pub(super) only_right: Vec<Column>,
    pub(super) retyped: Vec<Retyped>,
}

/// How the rows differ.
#[derive(Debug, Deserialize)]
pub(super) struct Rows {
    pub(super) key: Vec<String>,
    pub(super) columns: Columns,
    pub(super) added: u64,
    pub(super) removed: u64,
    pub(super) changed: u64,
    pub(super) equal: u64,
    pub(super) changed_columns: Vec<ChangedColumn>,
    pub(super) samples: Samples,
}

/// In how many rows a column differs.
#[derive(Debug, Deserialize)]
pub(super) struct ChangedColumn {
    pub(super) column: String,
    pub(super) rows: u64,
}

/// Rows that differ.
#[derive(Debug, Deserialize)]
pub(super) struct Samples {
    pub(super) added: Vec<Row>,
    pub(super) removed: Vec<Row>,
    pub(super) changed: Vec<ChangedRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChangedRow {
    /// The columns that differ.
    pub(super) columns: Vec<String>,
    pub(super) before: Row,
    pub(super) after: Row,
}
