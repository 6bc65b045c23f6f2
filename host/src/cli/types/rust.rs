//! Structs of Rust.

use std::fmt::Write as _;

use super::{
    comments::{comment, said_of},
    names::type_names,
};
use crate::api::{ColumnDescriptor, ColumnType, TableDescriptor};

/// Reads and writes an f64 as rows have it.
const FLOAT: &str = r#"
/// Floats as rows have them: `"NaN"`, `"Infinity"` and `"-Infinity"` are texts.
mod float {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    fn read<E: Error>(value: &serde_json::Value) -> Result<f64, E> {
        let number = match value {
            serde_json::Value::Number(number) => number.as_f64(),
            serde_json::Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| E::custom("a number, \"NaN\", \"Infinity\" or \"-Infinity\" is expected"))
    }

    fn write(value: f64) -> serde_json::Value {
        let text = || if value.is_nan() { "NaN" } else if value > 0.0 { "Infinity" } else { "-Infinity" };
        serde_json::Number::from_f64(value).map_or_else(|| text().into(), serde_json::Value::Number)
    }
"#;

const FLOAT_REQUIRED: &str = r#"
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        read(&serde_json::Value::deserialize(deserializer)?)
    }

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        write(*value).serialize(serializer)
    }
"#;

const FLOAT_OPTIONAL: &str = r#"
    pub mod option {
        use super::{Deserialize, Deserializer, Serialize, Serializer};

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
            let value = Option::<serde_json::Value>::deserialize(deserializer)?;
            value.as_ref().map(super::read).transpose()
        }

        pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
            value.map(super::write).serialize(serializer)
        }
    }
"#;

pub(super) fn render(about: &str, tables: &[TableDescriptor]) -> String {
    let mut text = format!(
        "// {about}\n// Printed by `gnomon types`; it needs the crates serde (with `derive`) and serde_json.\n"
    );
    if tables.iter().any(|table| table.columns.iter().any(|column| column.column_type == ColumnType::Decimal)) {
        text += "// serde_json keeps every digit of decimal numbers with its feature `arbitrary_precision`.\n";
    }
    text += "\nuse serde::{Deserialize, Serialize};\n";
    for (table, name) in tables.iter().zip(type_names(tables.iter().map(|table| &table.name))) {
        let _ = writeln!(
            text,
            "\n{}/// A row of `{}`. Its key: {}.\n#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]\npub struct {name} {{",
            said_of(table).map(|line| format!("/// {line}\n///\n")).unwrap_or_default(),
            table.name,
            table.key.join(", ")
        );
        for column in &table.columns {
            field(&mut text, column);
        }
        text += "}\n";
    }
    text += &float(tables);
    text
}

fn field(text: &mut String, column: &ColumnDescriptor) {
    let (cell, note) = type_of(&column.column_type);
    for line in comment(column, note) {
        let _ = writeln!(text, "    /// {line}");
    }
    if column.column_type == ColumnType::F64 {
        let with = if column.nullable { "float::option" } else { "float" };
        let _ = writeln!(text, "    #[serde(with = \"{with}\")]");
    }
    let field = match &*column.name {
        // These cannot be written as r#….
        name @ ("self" | "super" | "crate" | "_") => {
            let _ = writeln!(text, "    #[serde(rename = \"{name}\")]");
            format!("{name}_")
        }
        name if KEYWORDS.contains(&name) => format!("r#{name}"),
        name => name.to_owned(),
    };
    // A null in JSON is a value of `Value`.
    let cell = if column.nullable && cell != "serde_json::Value" { format!("Option<{cell}>") } else { cell.to_owned() };
    let _ = writeln!(text, "    pub {field}: {cell},");
}

/// What reads and writes floats, as far as the tables have them.
fn float(tables: &[TableDescriptor]) -> String {
    let has = |nullable: bool| {
        let mut columns = tables.iter().flat_map(|table| &table.columns);
        columns.any(|column| column.column_type == ColumnType::F64 && column.nullable == nullable)
    };
    match (has(false), has(true)) {
        (false, false) => String::new(),
        (required, optional) => {
            let required = if required { FLOAT_REQUIRED } else { "" };
            let optional = if optional { FLOAT_OPTIONAL } else { "" };
            format!("{FLOAT}{required}{optional}}}\n")
        }
    }
}

/// The type of a column's cells, and what it does not say.
fn type_of(column_type: &ColumnType) -> (&'static str, &'static str) {
    match column_type {
        ColumnType::Text => ("String", ""),
        ColumnType::CiText => ("String", "Compared without regard to case."),
        ColumnType::Bool => ("bool", ""),
        ColumnType::I64 => ("i64", ""),
        ColumnType::F64 => ("f64", ""),
        ColumnType::Decimal => ("serde_json::Number", "A decimal number."),
        ColumnType::Timestamp => ("String", "An instant as RFC 3339 writes it, in UTC."),
        ColumnType::LocalTimestamp => {
            ("String", "A date and a time of day without a time zone: `2013-01-31T10:17:00`.")
        }
        ColumnType::Time => ("String", "A time of day: `10:17:00`."),
        ColumnType::Date => ("String", "A day: `2013-01-31`."),
        ColumnType::Uuid => ("String", "A UUID."),
        ColumnType::Json => ("serde_json::Value", "Any JSON."),
        ColumnType::Bytes => ("String", r"Bytes in hex, after `\x`."),
        ColumnType::TextArray => ("Vec<String>", ""),
        ColumnType::I64Array => ("Vec<i64>", ""),
        ColumnType::F64Array => {
            ("Vec<serde_json::Value>", "Floats: numbers, or the texts `NaN`, `Infinity` and `-Infinity`.")
        }
        ColumnType::UuidArray => ("Vec<String>", "UUIDs."),
        ColumnType::Other(_) => ("serde_json::Value", "A type that this version of gnomon does not know."),
    }
}

/// Keywords of Rust 2024, and words that are reserved, beside those that cannot be raw.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
