//! Rows as JSON shows them, without Postgres: rows that are in no table.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    table::Table,
    value::{Float, Row, Value},
};

/// A row of a table as queries answer it, but for numbers, which may be written in another of JSON's ways.
///
/// # Errors
/// Never for a row that fits the table.
pub fn shown_row(table: &Table, row: &Row) -> Result<Box<RawValue>, serde_json::Error> {
    let mut text = "{".to_owned();
    for (column, value) in table.columns().iter().zip(row) {
        if text.len() > 1 {
            text.push(',');
        }
        let _ = write!(text, "{}:{}", serde_json::Value::from(column.name.as_str()), shown(value));
    }
    text.push('}');
    RawValue::from_string(text)
}

fn shown(value: &Value) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let list = |items: Vec<String>| format!("[{}]", items.join(","));
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) | Value::CiText(text) => quoted(text),
        Value::Bool(bool) => bool.to_string(),
        Value::I64(integer) => integer.to_string(),
        Value::F64(float) => shown_float(*float),
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Timestamp(instant) => quoted(&instant.to_string()),
        Value::LocalTimestamp(local) => quoted(&local.to_string()),
        Value::Date(day) => quoted(&day.to_string()),
        Value::Time(time) => quoted(&time.to_string()),
        Value::Uuid(uuid) => quoted(&uuid.to_string()),
        Value::Json(json) => json.to_string(),
        Value::Bytes(bytes) => quoted(&bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))),
        Value::TextArray(texts) => list(texts.iter().map(|text| quoted(text)).collect()),
        Value::I64Array(numbers) => list(numbers.iter().map(i64::to_string).collect()),
        Value::F64Array(numbers) => list(numbers.iter().copied().map(shown_float).collect()),
        Value::UuidArray(uuids) => list(uuids.iter().map(Uuid::to_string).map(|uuid| quoted(&uuid)).collect()),
    }
}

/// JSON has no number that is none or has no end; Postgres writes them as texts.
fn shown_float(float: Float) -> String {
    match float.get() {
        float if float.is_nan() => "\"NaN\"".to_owned(),
        float if float == f64::INFINITY => "\"Infinity\"".to_owned(),
        float if float == f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
        float => serde_json::Value::from(float).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read_model::samples;

    proptest! {
        /// `samples::json` is what the tests of queries hold Postgres to.
        #[test]
        fn rows_are_shown_as_queries_answer_them(values in samples::table().columns().iter()
            .map(|column| samples::value(column.column_type)).collect::<Vec<_>>())
        {
            let table = samples::table();
            let row: serde_json::Value = serde_json::from_str(shown_row(&table, &values).unwrap().get()).unwrap();
            for (column, value) in table.columns().iter().zip(&values) {
                let (shown, expected) = (&row[column.name.as_str()], samples::json(value));
                match (value, shown.as_f64(), expected.as_f64()) {
                    (Value::F64(_), Some(shown), Some(expected)) => prop_assert_eq!(shown, expected),
                    (Value::F64Array(_), ..) => {
                        let numbers = |array: &serde_json::Value| -> Vec<String> {
                            let show = |item: &serde_json::Value| item.as_f64().map_or_else(|| item.to_string(), |number| number.to_string());
                            array.as_array().unwrap().iter().map(show).collect()
                        };
                        prop_assert_eq!(numbers(shown), numbers(&expected));
                    }
                    _ => prop_assert_eq!(shown, &expected),
                }
            }
        }
    }
}
