//! Rows as a table, with the columns in the order of the answer.

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};
use serde_json::Value;

use crate::{api::Row, cli::output};

/// Rows of a read model.
#[derive(Debug)]
pub(super) struct Rows(Vec<Vec<(String, Value)>>);

impl Rows {
    /// # Errors
    /// A row is not an object.
    pub(super) fn read(rows: &[Row]) -> Result<Self, serde_json::Error> {
        rows.iter().map(Row::cells).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows as a table with a header, or as the continuation of the table `above`; also its columns, for the next part.
    pub(super) fn table(&self, above: Option<&Columns>) -> (Table, Columns) {
        let names: Vec<&str> = self.0.first().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut table = if above.is_some() { output::table_without_header() } else { output::table(&names) };
        for row in &self.0 {
            table.add_row(row.iter().map(|(_, value)| cell(value)));
        }
        let holds_number =
            |index: usize| self.0.iter().any(|row| matches!(row.get(index), Some((_, Value::Number(_)))));
        let numbers: Vec<bool> = (0..names.len()).map(holds_number).collect();
        for (index, numbers) in numbers.iter().enumerate() {
            let above = above.and_then(|above| Some((*above.numbers.get(index)?, *above.widths.get(index)?)));
            let Some(column) = table.column_mut(index) else { continue };
            if index == 0 {
                column.set_padding((0, 1));
            }
            if *numbers || above.is_some_and(|(numbers, _)| numbers) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if let Some((_, width)) = above {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
            }
        }
        // The width includes the padding.
        let padding = |index: usize| if index == 0 { 1 } else { 2 };
        let widths = table.column_max_content_widths();
        let widths =
            widths.into_iter().enumerate().map(|(index, width)| width.saturating_add(padding(index))).collect();
        (table, Columns { widths, numbers })
    }
}

/// The columns of a table's first part.
#[derive(Debug)]
pub(super) struct Columns {
    widths: Vec<u16>,
    /// Which of them hold numbers.
    numbers: Vec<bool>,
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

    fn read(rows: &str) -> Rows {
        Rows::read(&serde_json::from_str::<Vec<Row>>(rows).unwrap()).unwrap()
    }

    #[test]
    fn columns_keep_their_order_and_numbers_are_right_aligned() {
        let rows = read(r#"[{"name":"b","amount":5,"a":null},{"name":"long\nname","amount":1250,"a":{"x":[1,2]}}]"#);
        let (table, columns) = rows.table(None);
        insta::assert_snapshot!(table.trim_fmt(), @r#"
        name       amount  a
        b               5
        long name    1250  {"x":[1,2]}
        "#);
        let more =
            read(r#"[{"name":"c","amount":null,"a":1},{"name":"a name that is longer","amount":12345678,"a":null}]"#);
        insta::assert_snapshot!(more.table(Some(&columns)).0.trim_fmt(), @r"
        c                                          1
        a name that is longer  12345678
        ");
        let short = read(r#"[{"name":"d","amount":7,"a":null}]"#);
        insta::assert_snapshot!(short.table(Some(&columns)).0.trim_fmt(), @"d               7");
    }
}
