//! Dictionaries of Python.
//!
//! A `TypedDict` describes the dictionary that `json.loads` and every HTTP client make of a row, so nothing has to be converted, and a
//! column may have the name of a keyword. A dataclass would need code to make it of the dictionary.

use std::fmt::Write as _;

use super::{
    comments::{comment, said_of},
    names::type_names,
};
use crate::api::{ColumnType, TableDescriptor};

const HEAD: &str = "from typing import Any, List, Literal, TypedDict, Union\n";

pub(super) fn render(about: &str, tables: &[TableDescriptor]) -> String {
    let mut text = format!("\"\"\"{about}\n\nPrinted by `gnomon types`.\n\"\"\"\n\n{HEAD}");
    for (table, name) in tables.iter().zip(type_names(tables.iter().map(|table| &table.name))) {
        // The form with a dictionary: names of columns may be keywords.
        let _ = writeln!(
            text,
            "\n\n{}# A row of `{}`. Its key: {}.\n{name} = TypedDict(\n    \"{name}\",\n    {{",
            said_of(table).map(|line| format!("# {line}\n")).unwrap_or_default(),
            table.name,
            table.key.join(", ")
        );
        for column in &table.columns {
            let (cell, note) = type_of(&column.column_type);
            for line in comment(column, note) {
                let _ = writeln!(text, "        # {line}");
            }
            let cell = if column.nullable && cell != "Any" { format!("Union[{cell}, None]") } else { cell.to_owned() };
            let _ = writeln!(text, "        \"{}\": {cell},", column.name);
        }
        text += "    },\n)\n";
    }
    text
}

/// The type of a column's cells, and what it does not say.
fn type_of(column_type: &ColumnType) -> (&'static str, &'static str) {
    match column_type {
        ColumnType::Text => ("str", ""),
        ColumnType::CiText => ("str", "Compared without regard to case."),
        ColumnType::Bool => ("bool", ""),
        ColumnType::I64 => ("int", ""),
        ColumnType::F64 => (r#"Union[float, Literal["NaN", "Infinity", "-Infinity"]]"#, ""),
        ColumnType::Decimal => {
            ("float", "A decimal number: `json.loads(…, parse_float=decimal.Decimal)` keeps every digit.")
        }
        ColumnType::Timestamp => ("str", "An instant as RFC 3339 writes it, in UTC."),
        ColumnType::LocalTimestamp => ("str", "A date and a time of day without a time zone: `2013-01-31T10:17:00`."),
        ColumnType::Time => ("str", "A time of day: `10:17:00`."),
        ColumnType::Date => ("str", "A day: `2013-01-31`."),
        ColumnType::Uuid => ("str", "A UUID."),
        ColumnType::Json => ("Any", "Any JSON."),
        ColumnType::Bytes => ("str", r"Bytes in hex, after `\x`."),
        ColumnType::TextArray => ("List[str]", ""),
        ColumnType::I64Array => ("List[int]", ""),
        ColumnType::F64Array => (r#"List[Union[float, Literal["NaN", "Infinity", "-Infinity"]]]"#, ""),
        ColumnType::UuidArray => ("List[str]", "UUIDs."),
        ColumnType::Other(_) => ("Any", "A type that this version of gnomon does not know."),
    }
}
