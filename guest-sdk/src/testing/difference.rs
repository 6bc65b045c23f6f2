//! Describes the differences between two states of a table.

use std::fmt::{self, Write};

use super::tables::{StoredKey, StoredTable};
use crate::schema::{TableSchema, Value};

/// Differences that a message shows.
const SHOWN: usize = 20;

/// A line for each row that differs: `-` for a row on the left only, `+` for a row on the right only, `~` and the columns that
/// differ for a row on both sides. Empty if the tables are equal.
pub(super) fn difference(schema: &TableSchema, left: &StoredTable, right: &StoredTable, names: [&str; 2]) -> String {
    let mut lines = Vec::new();
    for (key, row) in &left.rows {
        match right.rows.get(key) {
            None => lines.push((key, format!("  - only {}: {}", names[0], shown(schema, row)))),
            Some(other) if other != row => {
                lines.push((key, format!("  ~ {}: {}", identified(schema, key), changes(schema, row, other, names))));
            }
            Some(_) => {}
        }
    }
    for (key, row) in &right.rows {
        if !left.rows.contains_key(key) {
            lines.push((key, format!("  + only {}: {}", names[1], shown(schema, row))));
        }
    }
    lines.sort_by_key(|&(key, _)| key);
    let mut text = String::new();
    for (_, line) in lines.iter().take(SHOWN) {
        text.push('\n');
        text.push_str(line);
    }
    if lines.len() > SHOWN {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  … and {} more", lines.len() - SHOWN);
    }
    text
}

/// A row for messages: `account "1", balance 5`.
pub(super) fn shown(schema: &TableSchema, row: &[Value]) -> String {
    listed(schema.columns.iter().map(|column| column.name).zip(row))
}

fn identified(schema: &TableSchema, key: &StoredKey) -> String {
    listed(schema.key.iter().copied().zip(&key.0))
}

fn changes(schema: &TableSchema, left: &[Value], right: &[Value], names: [&str; 2]) -> String {
    let changed = schema.columns.iter().zip(left.iter().zip(right)).filter(|(_, (left, right))| left != right);
    let changes =
        changed.map(|(column, (left, right))| format!("{} is {left} {}, {right} {}", column.name, names[0], names[1]));
    changes.collect::<Vec<_>>().join("; ")
}

fn listed<'a>(cells: impl Iterator<Item = (&'a str, impl fmt::Display)>) -> String {
    cells.map(|(name, cell)| format!("{name} {cell}")).collect::<Vec<_>>().join(", ")
}
