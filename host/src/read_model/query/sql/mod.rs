//! Renders a query as SQL.

mod conditions;
mod full_text;
mod next_page;
mod order;
mod writer;

use self::writer::{Writer, quoted};
use super::{Query, order::complete, param::Param, shape::Shape};
use crate::read_model::value::shown_in_json;

/// How to render a query, in addition to what the query says.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The schema that holds the table.
    pub schema: &'a str,
    /// Whether the result is a list or one object.
    pub shape: Shape,
    /// Whether to count all rows that match, not only those of the page.
    pub exact_count: bool,
    /// The most rows that a page may have, even if the query asks for more.
    pub max_rows: Option<u64>,
    /// The most bytes that a row may have. Of a larger one only its size is returned.
    pub max_row_bytes: Option<u64>,
    /// Whether to return, with the last row of a page that has as many rows as it may have, the values of which
    /// [`Query::next_cursor`] makes a cursor. Only if [`Query::can_continue`].
    pub next_values: bool,
    /// The number of the first placeholder: 1 for a statement on its own, more for a part of a statement that has other
    /// parameters before.
    pub first_placeholder: usize,
}

/// A statement that returns a row for each row of the page, in its order, with these columns:
///
/// - `shown text`: the row as JSON; null if it is larger than [`Rendering::max_row_bytes`]. With [`Shape::Object`] it is empty for all
///   rows but the first;
/// - `bytes integer`: the bytes of it;
/// - `total_rows bigint`: the number of rows that match, before the cursor too, or null without [`Rendering::exact_count`];
/// - `next_values text`, only with [`Rendering::next_values`]: null for all rows but the last of a page that is full.
///
/// If the page has no rows it returns one, in which all are null but the total. What stands between the rows is in [`Shape::before`] and
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
        let limit = match (self.window.limit, rendering.max_rows) {
            (Some(limit), Some(max_rows)) => Some(limit.min(max_rows)),
            (limit, max_rows) => limit.or(max_rows),
        };
        let cut = limit.is_some() || self.window.offset > 0 || self.paging.after.is_some();
        let mut sql = Writer::new(self.table, rendering.first_placeholder);

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
        let terms = if cut || !self.order.is_empty() { complete(self.table, &self.order) } else { Vec::new() };
        let after = match &self.paging.after {
            Some(last) => {
                let joined = if conditions.is_empty() { "WHERE" } else { "AND" };
                format!(" {joined} {}", sql.after(&complete(self.table, &self.order), last))
            }
            None => String::new(),
        };
        let order = sql.order(&terms);
        let full_page = limit.filter(|&limit| limit > 0 && rendering.next_values && self.can_continue());
        // The values of the last row are beside the row, so the row is one column of the page.
        let (select, row) = match full_page {
            Some(_) => {
                let (values, row) = (sql.values_of_row(&terms), name_beside(&select));
                (
                    format!("(SELECT {row} FROM (SELECT {select}) AS {row}) AS listed, {values} AS next_values"),
                    "page.listed",
                )
            }
            None => (select, "page.*"),
        };
        // A number and no placeholder: whether the rows of a page are few decides how they are found.
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let offset = match self.window.offset {
            0 => String::new(),
            offset => format!(" OFFSET {}", sql.bind(offset.to_string(), "bigint")),
        };

        // `page.*` means the row even if a column or alias is called `page`.
        let row = match rendering.shape {
            Shape::List => format!("row_to_json({row})::text"),
            Shape::Object => format!("CASE WHEN row_number() OVER () = 1 THEN row_to_json({row})::text ELSE '' END"),
        };
        let [next_values, next_of_last] = match full_page {
            Some(limit) => [
                ", next_values".to_owned(),
                format!(", CASE WHEN row_number() OVER () = {limit} THEN page.next_values END AS next_values"),
            ],
            None if rendering.next_values => [", next_values".to_owned(), ", NULL::text AS next_values".to_owned()],
            None => Default::default(),
        };
        let shown = match rendering.max_row_bytes {
            Some(max) => format!("CASE WHEN octet_length(shown) <= {max} THEN shown END AS shown"),
            None => "shown".to_owned(),
        };
        let total = match rendering.exact_count {
            false => "NULL::bigint".to_owned(),
            true => format!("(SELECT count(*) FROM {source}{conditions})"),
        };
        // OFFSET 0 keeps Postgres from making the JSON of a row once more for its size.
        let text = format!(
            "SELECT shown, bytes, total_rows{next_values} FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes{next_values} FROM (SELECT {row} AS shown{next_of_last} \
             FROM (SELECT {select} FROM {source}{conditions}{after}{order}{limit}{offset}) AS page OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        let Writer { params, can_be_prepared, depends_on_clock, .. } = sql;
        Sql { text, params, can_be_prepared, depends_on_clock }
    }
}

/// A name that the text does not have, so that it means none of its columns.
fn name_beside(text: &str) -> String {
    let mut name = "listed".to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests;
