//! Renders a query as SQL.

mod conditions;
mod order;
mod writer;

use self::writer::{Writer, quoted};
use super::{Query, csv, param::Param, shape::Shape};
use crate::read_model::value::shown_in_json;

/// How to render a query, in addition to what the query says.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The schema that holds the table.
    pub schema: &'a str,
    /// Whether the result is a list or one object.
    pub shape: Shape,
    /// Whether to count all rows that match, not only those of the page.
    pub total: Total,
    /// The most rows that a page may have, even if the query asks for more.
    pub max_rows: Option<u64>,
    /// The most bytes that a row may have. Of a larger one only its size is returned.
    pub max_row_bytes: Option<u64>,
    /// The number of the first placeholder: 1 for a statement on its own, more for a part of a statement that has other
    /// parameters before.
    pub first_placeholder: usize,
}

/// Which rows that match are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// None of them.
    #[default]
    Uncounted,
    /// All of them.
    Exact,
    /// So many of them, at most.
    UpTo(u64),
}

/// A statement that returns a row for each row of the page, in its order, with three columns:
///
/// - `shown text`: the row in its shape; null if it is larger than [`Rendering::max_row_bytes`]. As an object it is empty for all rows
///   but the first;
/// - `bytes integer`: the bytes of it;
/// - `total_rows bigint`: the number of rows that match, or null without [`Rendering::total`].
///
/// If the page has no rows it returns one, in which the first two are null. What stands between the rows is in [`Shape::before`] and
/// [`Shape::after`].
///
/// It can be run on its own, or be used as a subquery. Timestamps and dates are formatted and parsed in the session's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Sql {
    /// The statement. It casts values that are sent as texts.
    pub text: String,
    /// The values of its placeholders, in order.
    pub params: Vec<Param>,
    /// Whether it is worth to be prepared (sqlx: `persistent`): all values are of the types that it wants. Where Postgres has to read some
    /// of them, it is to be planned with them each time: so each is read once and not for each row, and an invalid one is
    /// reported even if no row is read.
    pub can_be_prepared: bool,
    /// Whether what it finds may depend on when it is run: a time is read by Postgres from a word such as `now` or `yesterday`.
    pub depends_on_clock: bool,
}

impl Query<'_> {
    /// Renders the query.
    ///
    /// Updates move rows in Postgres' heap, so if the order of two rows were undefined, a client that reads page by page could
    /// miss rows or see them twice. Hence the columns of the key complete every `order`, and a page that is cut by a limit, an
    /// offset or `max_rows` is ordered by the key if the query has no order. PostgREST adds nothing to an order.
    #[must_use]
    pub fn to_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let mut sql = Writer::new(self.table, rendering.first_placeholder);
        let Clauses { source, conditions, page } = self.clauses(&mut sql, rendering);

        // `page.*` means the row even if a column or alias is called `page`.
        let row = match rendering.shape {
            Shape::List | Shape::Object => "row_to_json(page.*)::text",
            Shape::StrippedList | Shape::StrippedObject => "json_strip_nulls(row_to_json(page.*))::text",
            Shape::Csv => csv::ROW,
        };
        let row = match rendering.shape.is_object() {
            true => format!("CASE WHEN row_number() OVER () = 1 THEN {row} ELSE '' END"),
            false => row.to_owned(),
        };
        let shown = match rendering.max_row_bytes {
            Some(max) => format!("CASE WHEN octet_length(shown) <= {max} THEN shown END AS shown"),
            None => "shown".to_owned(),
        };
        let total = total(rendering.total, &source, &conditions);
        // OFFSET 0 keeps Postgres from making the JSON of a row once more for its size.
        let text = format!(
            "SELECT shown, bytes, total_rows FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes FROM (SELECT {row} AS shown \
             FROM ({page}) AS page OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        finish(sql, text)
    }

    /// Renders the query as a statement that returns one row: `page_rows bigint`, the number of rows of the page, and `total_rows bigint` as
    /// above.
    #[must_use]
    pub fn to_counting_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let mut sql = Writer::new(self.table, rendering.first_placeholder);
        let Clauses { source, conditions, page } = self.clauses(&mut sql, rendering);
        let total = total(rendering.total, &source, &conditions);
        let text = format!("SELECT (SELECT count(*) FROM ({page}) AS page) AS page_rows, {total} AS total_rows");
        finish(sql, text)
    }

    /// Renders a statement that has a row for each row that matches, to ask Postgres how many it expects.
    #[must_use]
    pub fn to_matching_sql(&self, schema: &str) -> Sql {
        let mut sql = Writer::new(self.table, 1);
        let source = format!("{}.{}", quoted(schema), sql.table);
        let conditions = sql.all(&self.conditions);
        finish(sql, format!("SELECT 1 FROM {source}{conditions}"))
    }

    fn clauses(&self, sql: &mut Writer<'_>, rendering: &Rendering<'_>) -> Clauses {
        let limit = match (self.window.limit, rendering.max_rows) {
            (Some(limit), Some(max_rows)) => Some(limit.min(max_rows)),
            (limit, max_rows) => limit.or(max_rows),
        };
        let cut = limit.is_some() || self.window.offset > 0;

        let source = format!("{}.{}", quoted(rendering.schema), sql.table);
        let select = self.select.iter().map(|selected| {
            let column = sql.column(selected.column);
            let shown = shown_in_json(selected.column.column_type, &column);
            match (&selected.alias, shown) {
                (Some(alias), shown) => format!("{} AS {}", shown.unwrap_or(column), quoted(alias)),
                (None, Some(shown)) => format!("{shown} AS {}", selected.column.name.quoted()),
                (None, None) => column,
            }
        });
        let select = select.collect::<Vec<_>>().join(", ");
        let conditions = sql.all(&self.conditions);
        let order = if cut || !self.order.is_empty() { sql.whole_order(self.table, &self.order) } else { Vec::new() };
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        // A number and no placeholder: whether the rows of a page are few decides how they are found.
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let offset = match self.window.offset {
            0 => String::new(),
            offset => format!(" OFFSET {}", sql.bind(offset.to_string(), "bigint")),
        };

        let page = format!("SELECT {select} FROM {source}{conditions}{order}{limit}{offset}");
        Clauses { source, conditions, page }
    }
}

/// Parts of a statement.
struct Clauses {
    /// The table, with its schema.
    source: String,
    /// `WHERE …`, if there is one.
    conditions: String,
    /// The statement that selects the rows of the page.
    page: String,
}

/// The statement with this text, whose placeholders a writer has written.
fn finish(writer: Writer<'_>, text: String) -> Sql {
    let Writer { params, can_be_prepared, depends_on_clock, .. } = writer;
    Sql { text, params, can_be_prepared, depends_on_clock }
}

/// The number of rows that match.
fn total(total: Total, source: &str, conditions: &str) -> String {
    match total {
        Total::Uncounted => "NULL::bigint".to_owned(),
        Total::Exact => format!("(SELECT count(*) FROM {source}{conditions})"),
        Total::UpTo(most) => {
            format!("(SELECT count(*) FROM (SELECT 1 FROM {source}{conditions} LIMIT {most}) AS some_rows)")
        }
    }
}

#[cfg(test)]
mod tests;
