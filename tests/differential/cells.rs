//! Cells in words, the same from the kit as from Postgres.

use gnomon_sdk::schema::{ColumnType, Value};

/// A cell of the kit.
pub(crate) fn of_kit(cell: &Value) -> String {
    match cell {
        Value::Null => "null".to_owned(),
        Value::Text(text) | Value::CiText(text) => format!("{} bytes {}", text.len(), shortened(text)),
        Value::Bool(bool) => bool.to_string(),
        Value::I64(number) => number.to_string(),
        Value::F64(float) => format!("{:016x}", float.get().to_bits()),
        Value::Decimal(text) => text.clone(),
        Value::Timestamp(micros) | Value::LocalTimestamp(micros) | Value::Time(micros) => micros.to_string(),
        Value::Date(days) => days.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Json(text) => json(text),
        Value::Bytes(bytes) => format!("{} bytes {}", bytes.len(), shortened(&hex(bytes))),
        Value::TextArray(texts) => array(texts.iter().map(|text| hex(text.as_bytes()))),
        Value::I64Array(numbers) => array(numbers.iter().map(ToString::to_string)),
        Value::F64Array(numbers) => array(numbers.iter().map(|float| format!("{:016x}", float.get().to_bits()))),
        Value::UuidArray(uuids) => array(uuids.iter().map(ToString::to_string)),
    }
}

/// The SQL expression whose text [`of_postgres`] takes.
pub(crate) fn expression(column: &str, column_type: ColumnType) -> String {
    let column = format!("\"{column}\"");
    match column_type {
        ColumnType::F64 => format!("encode(float8send({column}), 'hex')"),
        ColumnType::LocalTimestamp | ColumnType::Time => {
            format!("(extract(epoch from {column}) * 1000000)::bigint::text")
        }
        ColumnType::TextArray => elements(&column, "encode(convert_to(element, 'UTF8'), 'hex')"),
        ColumnType::F64Array => elements(&column, "encode(float8send(element), 'hex')"),
        ColumnType::I64Array | ColumnType::UuidArray => elements(&column, "element::text"),
        ColumnType::Timestamp => format!("(extract(epoch from {column}) * 1000000)::bigint::text"),
        ColumnType::Date => format!("({column} - date '1970-01-01')::text"),
        ColumnType::Bytes => format!("encode({column}, 'hex')"),
        _ => format!("{column}::text"),
    }
}

/// The number of the elements, and each by an expression. Null stays null.
fn elements(column: &str, element: &str) -> String {
    format!(
        "(SELECT count(*) || ' elements ' || coalesce(string_agg({element}, ' ' ORDER BY number), '') \
          FROM unnest({column}) WITH ORDINALITY AS each(element, number) HAVING {column} IS NOT NULL)"
    )
}

/// A cell of Postgres.
pub(crate) fn of_postgres(text: Option<String>, column_type: ColumnType) -> String {
    match (text, column_type) {
        (None, _) => "null".to_owned(),
        (Some(text), ColumnType::TextArray | ColumnType::I64Array | ColumnType::F64Array | ColumnType::UuidArray) => {
            shortened(&text)
        }
        (Some(text), ColumnType::Text | ColumnType::CiText) => format!("{} bytes {}", text.len(), shortened(&text)),
        (Some(text), ColumnType::Bytes) => format!("{} bytes {}", text.len() / 2, shortened(&text)),
        (Some(text), ColumnType::Json) => json(&text),
        (Some(text), _) => text,
    }
}

/// With the blanks and the order of fields that serde_json has.
fn json(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).unwrap().to_string()
}

fn array(elements: impl ExactSizeIterator<Item = String>) -> String {
    shortened(&format!("{} elements {}", elements.len(), elements.collect::<Vec<_>>().join(" ")))
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
