//! Comparisons of builds, and their verification.

use serde_json::value::RawValue;

use crate::{
    api,
    operations::{Cause, ComparedBuild, Comparison, Verification, VerificationOutcome},
    read_model::{
        Identifier,
        compare::{
            ChangedRow, ColumnCount, ColumnDifferences, ColumnShape, Outcome, RetypedColumn, RowDifferences, Samples,
            TableComparison,
        },
    },
    subscriptions::Batches,
};

/// Converts each item to its wire type.
fn each<D, W: From<D>>(items: Vec<D>) -> Vec<W> {
    items.into_iter().map(W::from).collect()
}

fn names(names: Vec<Identifier>) -> Vec<String> {
    each(names)
}

fn rows(rows: Vec<Box<RawValue>>) -> Vec<api::Row> {
    rows.into_iter().map(api::Row).collect()
}

impl From<Comparison> for api::Comparison {
    fn from(comparison: Comparison) -> Self {
        let Comparison { projection, position, left, right, identical, tables } = comparison;
        Self {
            projection: projection.into(),
            position: position.0,
            left: left.into(),
            right: right.into(),
            identical,
            tables: each(tables),
        }
    }
}

impl From<Verification> for api::Verification {
    fn from(result: Verification) -> Self {
        let Verification { projection, position, verification, verified, outcome, batches, tables } = result;
        let (content_hash, cause) = match outcome {
            VerificationOutcome::Identical { content_hash } => (Some(content_hash.to_string()), None),
            VerificationOutcome::Different { cause } => (None, Some(cause.into())),
        };
        Self {
            projection: projection.into(),
            position: position.0,
            verification: verification.into(),
            verified: verified.into(),
            identical: cause.is_none(),
            cause,
            batches: batches.into(),
            content_hash,
            tables: each(tables),
        }
    }
}

impl From<Cause> for api::DifferenceCause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::OutOfOrder => Self::OutOfOrder,
            Cause::DeadLetters => Self::DeadLetters,
            Cause::Module => Self::Module,
        }
    }
}

impl From<Batches> for api::Batches {
    fn from(Batches { count, events, largest }: Batches) -> Self {
        Self { count, events, largest }
    }
}

impl From<ComparedBuild> for api::ComparedBuild {
    fn from(ComparedBuild { build, version }: ComparedBuild) -> Self {
        Self { build: build.into(), version: version.0 }
    }
}

impl From<TableComparison> for api::TableComparison {
    fn from(comparison: TableComparison) -> Self {
        let TableComparison { table, identical, rows_left, rows_right, outcome } = comparison;
        Self { table: table.into(), identical, rows_left, rows_right, outcome: outcome.into() }
    }
}

impl From<Outcome> for api::TableOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::OnlyLeft => Self::OnlyLeft,
            Outcome::OnlyRight => Self::OnlyRight,
            Outcome::OtherKey { left_key, right_key, columns } => Self::OtherKey(api::TableKeys {
                left_key: each(left_key),
                right_key: each(right_key),
                columns: columns.into(),
            }),
            Outcome::Compared(differences) => Self::Compared(differences.into()),
        }
    }
}

impl From<ColumnShape> for api::TableColumn {
    fn from(ColumnShape { column, column_type }: ColumnShape) -> Self {
        Self { column: column.into(), column_type: column_type.into() }
    }
}

impl From<RetypedColumn> for api::RetypedColumn {
    fn from(RetypedColumn { column, left, right }: RetypedColumn) -> Self {
        Self { column: column.into(), left: left.into(), right: right.into() }
    }
}

impl From<ColumnDifferences> for api::TableColumns {
    fn from(ColumnDifferences { only_left, only_right, retyped }: ColumnDifferences) -> Self {
        Self { only_left: each(only_left), only_right: each(only_right), retyped: each(retyped) }
    }
}

impl From<RowDifferences> for api::RowDifferences {
    fn from(differences: RowDifferences) -> Self {
        let RowDifferences { key, columns, added, removed, changed, equal, changed_columns, samples } = differences;
        Self {
            key: names(key),
            columns: columns.into(),
            added,
            removed,
            changed,
            equal,
            changed_columns: each(changed_columns),
            samples: samples.into(),
        }
    }
}

impl From<ColumnCount> for api::ColumnCount {
    fn from(ColumnCount { column, rows }: ColumnCount) -> Self {
        Self { column: column.into(), rows }
    }
}

impl From<Samples> for api::RowSamples {
    fn from(Samples { added, removed, changed }: Samples) -> Self {
        Self { added: rows(added), removed: rows(removed), changed: each(changed) }
    }
}

impl From<ChangedRow> for api::ChangedRow {
    fn from(ChangedRow { columns, before, after }: ChangedRow) -> Self {
        Self { columns: names(columns), before: api::Row(before), after: api::Row(after) }
    }
}
