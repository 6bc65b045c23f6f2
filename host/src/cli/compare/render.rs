//! A comparison as text: the differences, their numbers, and samples.

use std::fmt;

use serde_json::Value;

use crate::{
    api::{
        ChangedRow, ComparedBuild, Comparison, Row, RowDifferences, TableColumn, TableColumns, TableComparison,
        TableKeys, TableOutcome,
    },
    cli::figures,
};

/// Characters of a value that are shown.
const SHOWN_VALUE: usize = 60;

impl fmt::Display for ComparedBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "build {} (version {})", self.build, self.version)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { projection, position, left, right, identical, tables } = self;
        let at = figures::count(*position);
        if *identical {
            let rows = rows_of(tables);
            return write!(f, "{projection}: {left} and {right} are identical at position {at}: {rows}");
        }
        Differences { projection, left, right, position: *position, tables }.fmt(f)
    }
}

/// Two builds that are not identical.
pub(in crate::cli) struct Differences<'d> {
    pub(in crate::cli) projection: &'d str,
    pub(in crate::cli) left: &'d dyn fmt::Display,
    pub(in crate::cli) right: &'d dyn fmt::Display,
    pub(in crate::cli) position: u64,
    pub(in crate::cli) tables: &'d [TableComparison],
}

impl fmt::Display for Differences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { projection, left, right, position, tables } = self;
        write!(f, "{projection}: {left} → {right}, at position {}", figures::count(*position))?;
        tables.iter().try_for_each(|table| write!(f, "\n\n{table}"))
    }
}

/// The number of rows of identical tables: `345 rows in 2 tables`.
pub(in crate::cli) fn rows_of(tables: &[TableComparison]) -> String {
    let rows = tables.iter().filter_map(|table| table.rows_left).sum();
    format!("{} in {}", figures::counted(rows, "row"), figures::counted(tables.len() as u64, "table"))
}

impl fmt::Display for TableComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, identical, rows_left, rows_right, outcome } = self;
        let rows = |rows: &Option<u64>| figures::counted(rows.unwrap_or_default(), "row");
        match outcome {
            _ if *identical => write!(f, "{table}: identical, {}", rows(rows_left)),
            TableOutcome::OnlyLeft => write!(f, "{table}: the table is gone, with {}", rows(rows_left)),
            TableOutcome::OnlyRight => write!(f, "{table}: a new table, with {}", rows(rows_right)),
            TableOutcome::OtherKey(TableKeys { left_key, right_key, columns }) => {
                let (left, right) = (rows(rows_left), rows(rows_right));
                write!(f, "{table}: {left} → {right}; the rows cannot be compared, since the keys differ")?;
                write!(f, "\n  key      ({}) → ({})", names(left_key), names(right_key))?;
                columns.fmt(f)
            }
            TableOutcome::Compared(differences) => {
                write!(f, "{table}: {} → {}", rows(rows_left), rows(rows_right))?;
                differences.fmt(f)
            }
            TableOutcome::Other => {
                let (left, right) = (rows(rows_left), rows(rows_right));
                write!(f, "{table}: {left} → {right}; this program does not know how they differ, `--json` shows it")
            }
        }
    }
}

fn names(columns: &[TableColumn]) -> String {
    columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for TableColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.column, self.column_type)
    }
}

impl fmt::Display for TableColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut label = "columns";
        let mut line = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            write!(f, "\n  {:<9}{text}", std::mem::take(&mut label))
        };
        for column in &self.only_right {
            line(f, format_args!("+ {column}"))?;
        }
        for column in &self.only_left {
            line(f, format_args!("- {column}"))?;
        }
        for retyped in &self.retyped {
            line(f, format_args!("~ {}: {} → {}, not compared", retyped.column, retyped.left, retyped.right))?;
        }
        Ok(())
    }
}

impl fmt::Display for RowDifferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.columns.fmt(f)?;
        let count = figures::count;
        let Self { added, removed, changed, equal, .. } = self;
        write!(f, "\n  rows     {} equal, {} changed, ", count(*equal), count(*changed))?;
        write!(f, "{} added, {} removed", count(*added), count(*removed))?;
        let mut differing: Vec<_> = self.changed_columns.iter().filter(|column| column.rows > 0).collect();
        differing.sort_by_key(|column| std::cmp::Reverse(column.rows));
        if !differing.is_empty() {
            let rows = |rows| figures::counted(rows, "row");
            let columns = differing.iter().map(|column| format!("{} in {}", column.column, rows(column.rows)));
            write!(f, "\n  changed  {}", columns.collect::<Vec<_>>().join(", "))?;
        }
        let samples = &self.samples;
        samples.changed.iter().try_for_each(|row| write!(f, "\n  ~ {}", change(&self.key, row)))?;
        more(f, "changed", *changed, samples.changed.len())?;
        samples.added.iter().try_for_each(|row| write!(f, "\n  + {}", whole(row)))?;
        more(f, "added", *added, samples.added.len())?;
        samples.removed.iter().try_for_each(|row| write!(f, "\n  - {}", whole(row)))?;
        more(f, "removed", *removed, samples.removed.len())
    }
}

/// A row's key, and the columns that differ.
fn change(key: &[String], row: &ChangedRow) -> String {
    let (before, after) = (Cells::of(&row.before), Cells::of(&row.after));
    let key = key.iter().map(|column| cell(column, before.get(column)));
    let changes = row.columns.iter().map(|column| {
        let (before, after) = (value(before.get(column)), value(after.get(column)));
        format!("{column}: {before} → {after}")
    });
    format!("{}  {}", key.collect::<Vec<_>>().join(" "), changes.collect::<Vec<_>>().join(", "))
}

/// The cells of a row; empty if the row is not an object.
struct Cells(Vec<(String, Value)>);

impl Cells {
    fn of(row: &Row) -> Self {
        Self(row.cells().unwrap_or_default())
    }

    /// The value of a column; `None` if there is no such column.
    fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }
}

/// Says how many rows there are beside those that are shown.
fn more(f: &mut fmt::Formatter<'_>, what: &str, all: u64, shown: usize) -> fmt::Result {
    match all.saturating_sub(shown as u64) {
        0 => Ok(()),
        // No samples were requested.
        _ if shown == 0 => Ok(()),
        left => write!(f, "\n    … and {} more {what}", figures::count(left)),
    }
}

/// All cells of a row.
fn whole(row: &Row) -> String {
    Cells::of(row).0.iter().map(|(column, value)| cell(column, Some(value))).collect::<Vec<_>>().join(" ")
}

fn cell(column: &str, of: Option<&Value>) -> String {
    format!("{column}={}", value(of))
}

/// A value as JSON, in one line, cut where it is long.
fn value(value: Option<&Value>) -> String {
    let text = value.map(Value::to_string).unwrap_or_default();
    match text.char_indices().nth(SHOWN_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(identical: bool, tables: Value) -> String {
        let comparison: Comparison = serde_json::from_str(
            &json!({
                "projection": "bank", "position": 18262, "left": {"build": 4, "version": 1},
                "right": {"build": 5, "version": 2}, "identical": identical, "tables": tables,
            })
            .to_string(),
        )
        .unwrap();
        comparison.to_string()
    }

    #[test]
    fn identical_builds_take_one_line() {
        let table = |rows: u64| {
            json!({"table": "t", "identical": true, "rows_left": rows, "rows_right": rows, "outcome": "compared",
                "key": ["k"], "columns": {"only_left": [], "only_right": [], "retyped": []}, "added": 0, "removed": 0,
                "changed": 0, "equal": rows, "changed_columns": [{"column": "v", "rows": 0}],
                "samples": {"added": [], "removed": [], "changed": []}})
        };
        insta::assert_snapshot!(render(true, json!([table(1200), table(1)])), @"bank: build 4 (version 1) and build 5 (version 2) are identical at position 18,262: 1,201 rows in 2 tables");
    }

    #[test]
    fn differences_are_counted_and_shown() {
        let long = "x".repeat(SHOWN_VALUE);
        let tables = json!([
            {"table": "accounts", "identical": false, "rows_left": 1120, "rows_right": 1121, "outcome": "compared",
             "key": ["bank", "account"],
             "columns": {"only_left": [{"column": "note", "type": "text"}], "only_right": [{"column": "limit_", "type": "i64"}],
                         "retyped": [{"column": "since", "left": "text", "right": "timestamp"}]},
             "added": 2, "removed": 1, "changed": 1003, "equal": 116,
             "changed_columns": [{"column": "owner", "rows": 0}, {"column": "name", "rows": 1}, {"column": "balance", "rows": 1003}],
             "samples": {
                 "added": [{"account": "131", "balance": 0}], "removed": [{"account": "9", "balance": null}],
                 "changed": [{"columns": ["balance", "name"], "before": {"bank": 1, "account": "7", "balance": 45, "name": null},
                              "after": {"bank": 1, "account": "7", "balance": 40, "name": long}}]}},
            {"table": "calm", "identical": true, "rows_left": 3, "rows_right": 3, "outcome": "compared", "key": ["k"],
             "columns": {"only_left": [], "only_right": [], "retyped": []}, "added": 0, "removed": 0, "changed": 0, "equal": 3,
             "changed_columns": [], "samples": {"added": [], "removed": [], "changed": []}},
            {"table": "gone", "identical": false, "rows_left": 1, "rows_right": null, "outcome": "only_left"},
            {"table": "fresh", "identical": false, "rows_left": null, "rows_right": 20, "outcome": "only_right"},
            {"table": "other", "identical": false, "rows_left": 5, "rows_right": 6, "outcome": "other_key",
             "left_key": [{"column": "a", "type": "text"}], "right_key": [{"column": "a", "type": "text"}, {"column": "b", "type": "i64"}],
             "columns": {"only_left": [], "only_right": [{"column": "b", "type": "i64"}], "retyped": []}},
        ]);
        insta::assert_snapshot!(render(false, tables), @r#"
        bank: build 4 (version 1) → build 5 (version 2), at position 18,262

        accounts: 1,120 rows → 1,121 rows
          columns  + limit_ i64
                   - note text
                   ~ since: text → timestamp, not compared
          rows     116 equal, 1,003 changed, 2 added, 1 removed
          changed  balance in 1,003 rows, name in 1 row
          ~ bank=1 account="7"  balance: 45 → 40, name: null → "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
            … and 1,002 more changed
          + account="131" balance=0
            … and 1 more added
          - account="9" balance=null

        calm: identical, 3 rows

        gone: the table is gone, with 1 row

        fresh: a new table, with 20 rows

        other: 5 rows → 6 rows; the rows cannot be compared, since the keys differ
          key      (a text) → (a text, b i64)
          columns  + b i64
        "#);
    }
}
