//! Renders a query for those who follow it.

use super::{
    finish,
    output::Output,
    writer::{Writer, quoted},
};
use crate::read_model::{
    Table,
    query::{
        Query,
        field::Field,
        param::Param,
        rendering::{Rendering, Total},
        resource::Selected,
        shape::Shape,
    },
    value::sql_type,
};

/// The name of the keys in a statement. No table has it, since it has a blank.
const KEYS: &str = "\"changed keys\"";

/// A statement of a live query. It has the columns `key text`, the key of a row as a JSON object or null, and `shown text`.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSql {
    /// The statement.
    pub text: String,
    /// The values of its placeholders, in order.
    pub params: Vec<Param>,
    /// Whether what it finds may depend on when it is run.
    pub depends_on_clock: bool,
}

/// The statement that reads some rows of a table, as several queries show them: rows of `key text`, and `shown text[]` with an item for each query,
/// which is null if the row does not match; null if there is no such row.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedRowsSql {
    /// The statement. Its first parameters are arrays of texts, one for each column of the key.
    pub text: String,
    /// The values of the placeholders behind those, in order.
    pub params: Vec<Param>,
}

fn rendering(schema: &str, max_rows: Option<u64>, first_placeholder: usize) -> Rendering<'_> {
    Rendering {
        schema,
        rows: None,
        shape: Shape::List,
        total: Total::Uncounted,
        max_rows,
        max_row_bytes: None,
        next_values: false,
        first_placeholder,
    }
}

impl Query<'_> {
    /// Renders a statement for all rows of the answer, of which it returns so many at most.
    #[must_use]
    pub fn to_live_sql(&self, schema: &str, max_rows: u64) -> LiveSql {
        let rendering = rendering(schema, Some(max_rows), 1);
        let mut sql = Writer::new(&self.root, &rendering);
        let body = sql.body(None);
        let text = if self.root.is_grouped() {
            format!("SELECT NULL::text AS key, row_to_json(page.*)::text AS shown FROM ({}) AS page", body.select())
        } else {
            let outputs = body.outputs.iter().enumerate();
            let mut items: Vec<_> = outputs.map(|(at, output)| output.shown_as(&format!("value_{at}"))).collect();
            let keys = key_outputs(&mut sql);
            items.push(format!("{} AS row_key", as_object(&keys)));
            let outputs = body.outputs.iter().enumerate();
            let listed: Vec<_> =
                outputs.map(|(at, output)| format!("page.value_{at} AS {}", quoted(&output.name))).collect();
            format!(
                "SELECT page.row_key AS key, row_to_json(listed.*)::text AS shown FROM ({}) AS page, LATERAL (SELECT {}) AS listed",
                body.select_items(items),
                listed.join(", ")
            )
        };
        let sql = finish(sql, text);
        LiveSql { text: sql.text, params: sql.params, depends_on_clock: sql.depends_on_clock }
    }

    /// Renders the statement that reads some rows of a table, for queries that are followed by changed rows.
    #[must_use]
    pub fn to_changed_rows_sql<'q>(
        schema: &str,
        table: &Table,
        queries: impl IntoIterator<Item = &'q Query<'q>>,
    ) -> ChangedRowsSql {
        let (mut shown, mut params, mut key) = (Vec::new(), Vec::new(), String::new());
        let columns: Vec<_> = table.key_columns().collect();
        for query in queries {
            let rendering = rendering(schema, None, columns.len() + params.len() + 1);
            let mut sql = Writer::new(&query.root, &rendering);
            let (outputs, conditions) = sql.single_row();
            let items: Vec<_> = outputs.iter().map(Output::shown).collect();
            shown.push(format!(
                "(SELECT row_to_json(page.*)::text FROM (SELECT {}{conditions}) AS page)",
                items.join(", ")
            ));
            if key.is_empty() {
                let mut keys = key_outputs(&mut sql);
                for (at, key) in keys.iter_mut().enumerate() {
                    key.expression = format!("{KEYS}.k{at}");
                }
                key = as_object(&keys);
            }
            params.extend(sql.params);
        }
        let arrays: Vec<_> = (1..=columns.len()).map(|number| format!("${number}::text[]")).collect();
        let cells: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| format!("t{at}::{} AS k{at}", sql_type(column.column_type)))
            .collect();
        let texts: Vec<_> = (0..columns.len()).map(|at| format!("t{at}")).collect();
        let name = table.name().quoted();
        let same: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| format!("{name}.{} = {KEYS}.k{at}", column.name.quoted()))
            .collect();
        let text = format!(
            "SELECT {key} AS key, CASE WHEN {name}.tableoid IS NOT NULL THEN ARRAY[{}]::text[] END AS shown \
             FROM (SELECT {} FROM unnest({}) AS texts ({})) AS {KEYS} LEFT JOIN {}.{name} ON {}",
            shown.join(", "),
            cells.join(", "),
            arrays.join(", "),
            texts.join(", "),
            quoted(schema),
            same.join(" AND ")
        );
        ChangedRowsSql { text, params }
    }
}

/// The columns of the key of the table that is asked.
fn key_outputs(sql: &mut Writer<'_>) -> Vec<Output> {
    let columns = sql.resource.table.key_columns();
    columns.enumerate().map(|(at, column)| sql.selected(at, &Selected::of(Field::of(column)), false)).collect()
}

/// Values as a JSON object, in a text.
fn as_object(outputs: &[Output]) -> String {
    let items: Vec<_> = outputs.iter().map(|output| output.shown_as(&quoted(&output.name))).collect();
    format!("(SELECT row_to_json(cells.*)::text FROM (SELECT {}) AS cells)", items.join(", "))
}
