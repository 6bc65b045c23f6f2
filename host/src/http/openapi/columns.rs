//! What the cells of a column are in JSON.

use serde_json::{Value, json};

use crate::read_model::{ColumnDeclaration, ColumnType};

/// The schema of a column's cells.
pub(super) fn column_schema(column: &ColumnDeclaration) -> Value {
    let mut schema = schema_of(column.column_type);
    if column.nullable {
        make_nullable(&mut schema);
    }
    if let Some(description) = &column.description {
        schema["description"] = description.as_str().into();
    }
    schema
}

/// The schema of a type's values, without null. Numbers have all of their digits.
fn schema_of(column_type: ColumnType) -> Value {
    match column_type {
        ColumnType::Text | ColumnType::CiText => json!({"type": "string"}),
        ColumnType::Bool => json!({"type": "boolean"}),
        ColumnType::I64 => json!({"type": "integer", "format": "int64"}),
        ColumnType::F64 => float(),
        ColumnType::Decimal => json!({"type": "number", "format": "decimal"}),
        ColumnType::Timestamp => json!({"type": "string", "format": "date-time"}),
        ColumnType::LocalTimestamp => {
            json!({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$"})
        }
        ColumnType::Time => json!({"type": "string", "pattern": r"^\d\d:\d\d:\d\d(\.\d{1,6})?$"}),
        ColumnType::Date => json!({"type": "string", "format": "date"}),
        ColumnType::Uuid => json!({"type": "string", "format": "uuid"}),
        ColumnType::Json => json!({}),
        ColumnType::Bytes => json!({"type": "string", "pattern": r"^\\x([0-9a-f]{2})*$"}),
        ColumnType::TextArray => array(schema_of(ColumnType::Text)),
        ColumnType::I64Array => array(schema_of(ColumnType::I64)),
        ColumnType::F64Array => array(float()),
        ColumnType::UuidArray => array(schema_of(ColumnType::Uuid)),
    }
}

fn float() -> Value {
    json!({"anyOf": [
        {"type": "number", "format": "double"},
        {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
    ]})
}

fn array(elements: Value) -> Value {
    json!({"type": "array", "items": elements})
}

/// Allows null as well. A schema without a type allows it already.
fn make_nullable(schema: &mut Value) {
    let nothing = || Value::from("null");
    if let Some(word @ Value::String(_)) = schema.get_mut("type") {
        *word = json!([word.take(), nothing()]);
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.push(json!({"type": nothing()}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_a_type_of_its_own() {
        let schema = |column_type, nullable| {
            column_schema(&ColumnDeclaration { name: "a".to_owned(), description: None, column_type, nullable })
        };
        assert_eq!(schema(ColumnType::I64, false), json!({"type": "integer", "format": "int64"}));
        assert_eq!(schema(ColumnType::I64, true), json!({"type": ["integer", "null"], "format": "int64"}));
        assert_eq!(schema(ColumnType::F64, true)["anyOf"][2], json!({"type": "null"}));
        assert_eq!(schema(ColumnType::Json, true), json!({}));
        assert_eq!(schema(ColumnType::F64Array, true)["type"], json!(["array", "null"]));
        let column = ColumnDeclaration {
            name: "a".to_owned(),
            description: Some("anything".to_owned()),
            column_type: ColumnType::Json,
            nullable: false,
        };
        assert_eq!(column_schema(&column), json!({"description": "anything"}));
    }
}
