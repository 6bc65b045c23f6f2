//! A second implementation of the comparison, over rows in memory. Its result is the comparison as JSON.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Filled;
use crate::read_model::{Key, Row, Table, Value, samples};

/// The expected result of a comparison of two sides.
pub(super) fn compare(left: &[Filled], right: &[Filled], limit: usize) -> Json {
    let named = |side: &[Filled], name: &str| side.iter().find(|other| other.table.name().as_str() == name).cloned();
    let mut tables: Vec<Json> = left
        .iter()
        .map(|filled| match named(right, filled.table.name().as_str()) {
            Some(other) => pair(filled, &other, limit),
            None => json!({
                "table": filled.table.name(), "identical": false, "outcome": "only_left",
                "rows_left": keyed(filled, &filled.table).len(), "rows_right": null,
            }),
        })
        .collect();
    for filled in right.iter().filter(|filled| named(left, filled.table.name().as_str()).is_none()) {
        tables.push(json!({
            "table": filled.table.name(), "identical": false, "outcome": "only_right",
            "rows_left": null, "rows_right": keyed(filled, &filled.table).len(),
        }));
    }
    Json::Array(tables)
}

fn pair(left: &Filled, right: &Filled, limit: usize) -> Json {
    let columns = columns(&left.table, &right.table);
    let shape_differs = ["only_left", "only_right", "retyped"].iter().any(|part| columns[part] != json!([]));
    let (left_key, right_key) = (key_shape(&left.table), key_shape(&right.table));
    let mut sorted = (left_key.clone(), right_key.clone());
    sorted.0.sort_by_key(Json::to_string);
    sorted.1.sort_by_key(Json::to_string);
    let (left_rows, right_rows) = (keyed(left, &left.table), keyed(right, &left.table));
    if sorted.0 != sorted.1 {
        return json!({
            "table": left.table.name(), "identical": false, "outcome": "other_key", "columns": columns,
            "left_key": left_key, "right_key": right_key,
            "rows_left": keyed(left, &left.table).len(), "rows_right": keyed(right, &right.table).len(),
        });
    }

    let common: Vec<(&str, usize, usize)> = left
        .table
        .columns()
        .iter()
        .enumerate()
        .filter(|(index, _)| !left.table.key().contains(index))
        .filter_map(|(index, column)| {
            let other = right.table.columns().iter().position(|other| other.name == column.name)?;
            let same = right.table.columns()[other].column_type == column.column_type;
            same.then_some((column.name.as_str(), index, other))
        })
        .collect();
    let removed: Vec<Json> = left_rows
        .iter()
        .filter(|(key, _)| !right_rows.contains_key(*key))
        .map(|(_, row)| whole(&left.table, row))
        .collect();
    let added: Vec<Json> = right_rows
        .iter()
        .filter(|(key, _)| !left_rows.contains_key(*key))
        .map(|(_, row)| whole(&right.table, row))
        .collect();
    let mut counts = vec![0; common.len()];
    let mut changed = Vec::new();
    let mut equal = 0;
    for (key, before) in &left_rows {
        let Some(after) = right_rows.get(key) else { continue };
        let differs: Vec<usize> =
            (0..common.len()).filter(|&index| before[common[index].1] != after[common[index].2]).collect();
        for &index in &differs {
            counts[index] += 1;
        }
        if differs.is_empty() {
            equal += 1;
        } else {
            changed.push(json!({
                "columns": differs.iter().map(|&index| common[index].0).collect::<Vec<_>>(),
                "before": whole(&left.table, before), "after": whole(&right.table, after),
            }));
        }
    }
    let counted = common.iter().zip(&counts).map(|((name, ..), rows)| json!({"column": name, "rows": rows}));
    let first = |rows: &[Json]| rows[..rows.len().min(limit)].to_vec();
    json!({
        "table": left.table.name(), "outcome": "compared", "columns": columns,
        "identical": !shape_differs && added.is_empty() && removed.is_empty() && changed.is_empty(),
        "rows_left": left_rows.len(), "rows_right": right_rows.len(),
        "key": left.table.key_columns().map(|column| &column.name).collect::<Vec<_>>(),
        "added": added.len(), "removed": removed.len(), "changed": changed.len(), "equal": equal,
        "changed_columns": counted.collect::<Vec<_>>(),
        "samples": {"added": first(&added), "removed": first(&removed), "changed": first(&changed)},
    })
}

fn columns(left: &Table, right: &Table) -> Json {
    let alone = |one: &Table, other: &Table| -> Vec<Json> {
        let missing = one.columns().iter().filter(|column| other.column(column.name.as_str()).is_none());
        missing.map(|column| json!({"column": column.name, "type": column.column_type})).collect()
    };
    let mut retyped = Vec::new();
    for column in left.columns() {
        if let Some(other) = right.column(column.name.as_str())
            && other.column_type != column.column_type
        {
            retyped.push(json!({"column": column.name, "left": column.column_type, "right": other.column_type}));
        }
    }
    json!({"only_left": alone(left, right), "only_right": alone(right, left), "retyped": retyped})
}

fn key_shape(table: &Table) -> Vec<Json> {
    table.key_columns().map(|column| json!({"column": column.name, "type": column.column_type})).collect()
}

/// The last row of each key. The key has the column order of another table's key, if that has the same columns.
fn keyed(filled: &Filled, order: &Table) -> BTreeMap<Key, Row> {
    let index = |name: &str| filled.table.columns().iter().position(|column| column.name.as_str() == name);
    let ordered: Option<Vec<usize>> = order.key_columns().map(|column| index(column.name.as_str())).collect();
    let ordered = ordered.filter(|indexes| {
        let mut indexes = indexes.clone();
        let mut own = filled.table.key().to_vec();
        indexes.sort_unstable();
        own.sort_unstable();
        indexes == own
    });
    let indexes = ordered.unwrap_or_else(|| filled.table.key().to_vec());
    let key = |row: &Row| -> Vec<Value> { indexes.iter().map(|&index| row[index].clone()).collect() };
    filled.rows.iter().map(|row| (key(row), row.clone())).collect()
}

fn whole(table: &Table, row: &Row) -> Json {
    let cells = table.columns().iter().zip(row).map(|(column, cell)| (column.name.to_string(), samples::json(cell)));
    Json::Object(cells.collect())
}
