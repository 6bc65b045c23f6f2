//! Interfaces of TypeScript.

use std::fmt::Write as _;

use super::names::type_names;
use crate::api::{ColumnDescriptor, ColumnType, TableDescriptor};

pub(super) fn render(about: &str, tables: &[TableDescriptor]) -> String {
    let mut text = format!("// {about}\n// Printed by `gnomon types`.\n");
    for (table, name) in tables.iter().zip(type_names(tables.iter().map(|table| &table.name))) {
        let _ = writeln!(
            text,
            "\n/** A row of `{}`. Its key: {}. */\nexport interface {name} {{",
            table.name,
            table.key.join(", ")
        );
        for column in &table.columns {
            let (cell, note) = type_of(&column.column_type);
            if !note.is_empty() {
                let _ = writeln!(text, "  /** {note} */");
            }
            // A keyword can be the name of a member.
            let _ = writeln!(text, "  {}: {};", column.name, nullable(column, cell));
        }
        text += "}\n";
    }
    text
}

fn nullable(column: &ColumnDescriptor, cell: &str) -> String {
    // `unknown` has null in it.
    if column.nullable && cell != "unknown" { format!("{cell} | null") } else { cell.to_owned() }
}

/// The type of a column's cells, and what it does not say.
fn type_of(column_type: &ColumnType) -> (&'static str, &'static str) {
    match column_type {
        ColumnType::Text => ("string", ""),
        ColumnType::Bool => ("boolean", ""),
        ColumnType::I64 => ("number", "An integer of 64 bits: beyond 2^53, `JSON.parse` rounds it."),
        ColumnType::F64 => (r#"number | "NaN" | "Infinity" | "-Infinity""#, ""),
        ColumnType::Decimal => ("number", "A decimal number: `JSON.parse` makes the nearest double of it."),
        ColumnType::Timestamp => ("string", "An instant as RFC 3339 writes it, in UTC."),
        ColumnType::Date => ("string", "A day: `2013-01-31`."),
        ColumnType::Uuid => ("string", "A UUID."),
        ColumnType::Json => ("unknown", "Any JSON."),
        ColumnType::Bytes => ("string", r"Bytes in hex, after `\x`."),
        ColumnType::Other(_) => ("unknown", "A type that this version of gnomon does not know."),
    }
}
