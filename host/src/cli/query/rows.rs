//! Rows as a table: their columns in the order in which they came.

use comfy_table::{CellAlignment, Table};
use serde::Deserialize;
use serde_json::Value;

use crate::cli::{output, row::Row};

/// Rows of a read model.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn table(&self) -> Table {
        let names: Vec<&str> = self.0.first().iter().flat_map(|row| &row.0).map(|(name, _)| name.as_str()).collect();
        let mut table = output::table(&names);
        for (index, _) in names.iter().enumerate() {
            let holds_numbers = self.0.iter().any(|row| matches!(row.0.get(index), Some((_, Value::Number(_)))));
            if let Some(column) = table.column_mut(index).filter(|_| holds_numbers) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for row in &self.0 {
            table.add_row(row.0.iter().map(|(_, value)| cell(value)));
        }
        table
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A line of a table is a line.
        Value::String(text) => text.replace(char::is_control, " "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_in_their_order_and_numbers_stand_right() {
        let rows: Rows = serde_json::from_str(
            r#"[{"name":"b","amount":5,"a":null},{"name":"long\nname","amount":1250,"a":{"x":[1,2]}}]"#,
        )
        .unwrap();
        insta::assert_snapshot!(rows.table().trim_fmt(), @r#"
        name       amount  a
        b               5
        long name    1250  {"x":[1,2]}
        "#);
    }
}
