//! Interfaces of TypeScript.

use std::fmt::Write as _;

use super::{
    comments::{comment, said_of},
    names::type_names,
};
use crate::api::{ColumnDescriptor, ColumnType, TableDescriptor};

pub(super) fn render(about: &str, tables: &[TableDescriptor]) -> String {
    let mut text = format!("// {about}\n// Printed by `gnomon types`.\n");
    for (table, name) in tables.iter().zip(type_names(tables.iter().map(|table| &table.name))) {
        let _ = writeln!(
            text,
            "\n/** {}A row of `{}`. Its key: {}. */\nexport interface {name} {{",
            said_of(table).map(|line| line.replace("*/", "* /") + " ").unwrap_or_default(),
            table.name,
            table.key.join(", ")
        );
        for column in &table.columns {
            let (cell, note) = type_of(&column.column_type);
            let lines = comment(column, note);
            if !lines.is_empty() {
                // A description may have what ends the comment.
                let _ = writeln!(text, "  /** {} */", lines.join(" ").replace("*/", "* /"));
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
        ColumnType::CiText => ("string", "Compared without regard to case."),
        ColumnType::Bool => ("boolean", ""),
        ColumnType::I64 => ("number", "An integer of 64 bits: beyond 2^53, `JSON.parse` rounds it."),
        ColumnType::F64 => (r#"number | "NaN" | "Infinity" | "-Infinity""#, ""),
        ColumnType::Decimal => ("number", "A decimal number: `JSON.parse` makes the nearest double of it."),
        ColumnType::Timestamp => ("string", "An instant as RFC 3339 writes it, in UTC."),
        ColumnType::LocalTimestamp => {
            ("string", "A date and a time of day without a time zone: `2013-01-31T10:17:00`.")
        }
        ColumnType::Time => ("string", "A time of day: `10:17:00`."),
        ColumnType::Date => ("string", "A day: `2013-01-31`."),
        ColumnType::Uuid => ("string", "A UUID."),
        ColumnType::Json => ("unknown", "Any JSON."),
        ColumnType::Bytes => ("string", r"Bytes in hex, after `\x`."),
        ColumnType::TextArray => ("string[]", ""),
        ColumnType::I64Array => ("number[]", "Integers of 64 bits: beyond 2^53, `JSON.parse` rounds them."),
        ColumnType::F64Array => (r#"(number | "NaN" | "Infinity" | "-Infinity")[]"#, ""),
        ColumnType::UuidArray => ("string[]", "UUIDs."),
        ColumnType::Other(_) => ("unknown", "A type that this version of gnomon does not know."),
    }
}
