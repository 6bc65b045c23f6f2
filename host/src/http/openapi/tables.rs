//! The tables of the active builds in the description of the API.

use serde_json::{Value, json, value::RawValue};

use super::{
    columns::column_schema,
    limits::{MAX_DESCRIBED_COLUMNS, MAX_DESCRIBED_TABLES},
    ordered::Ordered,
    reference::reference,
};
use crate::{
    builds::ReadModelSummary,
    http::postgrest,
    read_model::{ColumnDeclaration, Identifier, IndexKindDeclaration, TableDeclaration},
};

/// The parameters of a query that are no filters. A column of such a name cannot be filtered by.
const WORDS: [&str; 12] =
    ["select", "order", "limit", "offset", "cursor", "columns", "and", "or", "not.and", "not.or", "as_of", "version"];

/// A filter: an operator and a value.
const FILTER: &str = r"^(not\.)?((eq|gt|gte|lt|lte|like|ilike|match|imatch)(\((any|all)\))?|neq|in|is|isdistinct|cs|cd|ov|sl|sr|nxr|nxl|adj|((pl|ph|w)?fts(\([A-Za-z0-9_]*\))?))\.";

/// A filter by the words of a full-text index.
const WORDS_FILTER: &str = r"^(not\.)?(pl|ph|w)?fts(\([A-Za-z0-9_]*\))?\.";

/// What the document says of tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The path of each table, and its operation.
    pub(super) paths: Vec<(String, Value)>,
    /// The schemas of rows.
    pub(super) schemas: Vec<(String, Box<RawValue>)>,
    /// The answers that all tables share, by name.
    pub(super) answers: Vec<(String, Value)>,
    /// Tables that are left out, since there are too many.
    pub(super) left_out: usize,
}

/// Describes the tables of the active builds, as many as the limits allow.
pub(super) fn tables(read_models: &[ReadModelSummary]) -> Result<Tables, serde_json::Error> {
    let mut found = Tables::default();
    let base = shared_answers(&mut found.answers);
    let mut columns = 0;
    for read_model in read_models.iter().filter(|read_model| read_model.active.is_some()) {
        for table in &read_model.tables {
            columns += table.table.columns.len();
            if found.paths.len() >= MAX_DESCRIBED_TABLES || columns > MAX_DESCRIBED_COLUMNS {
                found.left_out += 1;
                continue;
            }
            found.add(&read_model.projection, &table.table, &base)?;
        }
    }
    Ok(found)
}

/// What the operations of all tables share; their errors go into `answers`, and are only named.
fn shared_answers(answers: &mut Vec<(String, Value)>) -> Value {
    let mut base = postgrest::table("/v1/read-models/{projection}/{table}", "query", "").to_json();
    base["parameters"] = base["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] != "path")
        .cloned()
        .collect();
    if let Some(responses) = base["responses"].as_object_mut() {
        for (status, answer) in responses {
            let name = format!("ReadTable{status}");
            let named = json!({"$ref": format!("#/components/responses/{name}")});
            answers.push((name, std::mem::replace(answer, named)));
        }
    }
    base
}

impl Tables {
    fn add(
        &mut self,
        projection: &Identifier,
        table: &TableDeclaration,
        base: &Value,
    ) -> Result<(), serde_json::Error> {
        let name = format!("{projection}.{}", table.name);
        let columns = format!("{name}.columns");
        self.schemas.push((columns.clone(), columns_schema(table)?));
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let whole = json!({
            "allOf": [reference(&columns)], "required": names,
            "description": with_description(format!("A whole row of `{}`.", table.name), table.description.as_deref()),
        });
        self.schemas.push((name.clone(), serde_json::value::to_raw_value(&whole)?));
        let operation = operation(base, projection, table, &reference(&columns));
        self.paths.push((format!("/v1/read-models/{projection}/{}", table.name), operation));
        Ok(())
    }
}

/// An object with any of the columns, in the order in which they are declared.
fn columns_schema(table: &TableDeclaration) -> Result<Box<RawValue>, serde_json::Error> {
    #[derive(serde::Serialize)]
    struct Schema {
        #[serde(rename = "type")]
        object: &'static str,
        description: String,
        properties: Ordered<Value>,
    }

    let property = |column: &ColumnDeclaration| {
        let mut schema = column_schema(column);
        for reference in table.references.iter().filter(|reference| reference.columns.contains(&column.name)) {
            let text = match reference.columns.as_slice() {
                [_] => format!("The key of a row of `{}`.", reference.table),
                several => format!("({}) is the key of a row of `{}`.", several.join(", "), reference.table),
            };
            schema["description"] = with_description(text, column.description.as_deref()).into();
        }
        (column.name.clone(), schema)
    };
    serde_json::value::to_raw_value(&Schema {
        object: "object",
        description: format!("The columns of `{}` that `select` names, or all.", table.name),
        properties: Ordered(table.columns.iter().map(property).collect()),
    })
}

fn operation(base: &Value, projection: &Identifier, table: &TableDeclaration, row: &Value) -> Value {
    let mut operation = base.clone();
    let name = &table.name;
    operation["operationId"] = format!("query_{projection}.{name}").into();
    operation["summary"] = format!("Reads rows of {name} of {projection}.").into();
    let about =
        format!("Its key: {}. Several filters must all hold; `or` and `and` combine others.", table.key.join(", "));
    operation["description"] = with_description(about, table.description.as_deref()).into();
    if let Value::Array(parameters) = &mut operation["parameters"] {
        parameters.extend(parameters_of(table));
    }
    let whole = "The rows, in the order of the key if `order` does not say another.";
    operation["responses"]["200"] = postgrest::rows_answer(row, whole);
    let events = json!({"type": "string", "description": postgrest::EVENTS});
    operation["responses"]["200"]["content"]["text/event-stream"] = json!({"schema": events});
    operation["responses"]["206"] = postgrest::rows_answer(row, postgrest::PARTIAL);
    operation
}

/// A text, after what the author says.
fn with_description(text: String, description: Option<&str>) -> String {
    description.map(|description| format!("{description}\n\n{text}")).unwrap_or(text)
}

fn parameters_of(table: &TableDeclaration) -> Vec<Value> {
    let parameter = |name: &str, schema: Value, description: String| json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema});
    let first = table.columns.first().map_or("", |column| column.name.as_str());
    let text = || json!({"type": "string"});
    let number = || json!({"type": "integer", "format": "int64", "minimum": 0});
    let mut parameters = vec![
        parameter(
            "select",
            text(),
            format!("The columns to answer with, with commas between: `{first}`, or `alias:{first}`."),
        ),
        parameter("order", text(), format!("The order: `{first}.desc.nullslast`, and more with commas between.")),
        parameter("limit", number(), "The most rows of the page.".to_owned()),
        parameter("offset", number(), "Rows to pass over.".to_owned()),
        parameter(
            "cursor",
            text(),
            "Where the page begins: the `Gnomon-Next` of the page before it, with the same filters and order."
                .to_owned(),
        ),
        parameter("or", text(), format!("Conditions of which one must hold: `({first}.is.null,{first}.eq.x)`.")),
        parameter("and", text(), format!("Conditions that must all hold: `({first}.not.is.null)`.")),
    ];
    for column in table.columns.iter().filter(|column| !WORDS.contains(&column.name.as_str())) {
        let type_name = column.column_type;
        let schema = json!({"type": "string", "pattern": FILTER});
        parameters.push(parameter(
            &column.name,
            schema,
            with_description(
                format!("A filter by this column ({type_name}): `eq.…`, `in.(…,…)`."),
                column.description.as_deref(),
            ),
        ));
    }
    for index in &table.indexes {
        if let IndexKindDeclaration::FullText { language, columns } = &index.kind {
            let names: Vec<&str> = columns.iter().map(|weighted| weighted.column.as_str()).collect();
            let about = format!(
                "A filter by the {language} words of {}: `wfts.…` as in a search engine; `plfts`, `phfts`, `fts`.",
                names.join(", ")
            );
            parameters.push(parameter(&index.name, json!({"type": "string", "pattern": WORDS_FILTER}), about));
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_said_of_each_of_its_columns() {
        let column = |name: &str| json!({"name": name, "type": "text", "description": format!("Its {name}.")});
        let table = serde_json::from_value(json!({
            "name": "stops", "key": ["stop"], "columns": [column("stop"), column("flight"), column("leg")],
            "references": [
                {"columns": ["flight", "leg"], "table": "legs"},
                {"columns": ["stop"], "table": "stops"},
            ],
        }));
        let schema: Value = serde_json::from_str(columns_schema(&table.unwrap()).unwrap().get()).unwrap();
        let said = |column: &str| schema["properties"][column]["description"].clone();
        assert_eq!(said("stop"), "Its stop.\n\nThe key of a row of `stops`.");
        assert_eq!(said("leg"), "Its leg.\n\n(flight, leg) is the key of a row of `legs`.");
    }
}
