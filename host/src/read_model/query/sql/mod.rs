//! Renders a query as SQL.

mod body;
mod columns;
mod conditions;
mod embedding;
mod full_text;
mod live;
mod next_page;
mod order;
mod output;
mod writer;

use self::writer::{Writer, quoted};
pub use self::{
    columns::ColumnsSql,
    live::{ChangedRowsSql, LiveSql},
};
use super::{
    Query, csv,
    order::complete,
    param::Param,
    rendering::{Rendering, Total},
    shape::Shape,
};

/// A statement that returns a row for each row of the page, in its order, with these columns:
///
/// - `shown text`: the row in its shape; null if it is larger than [`Rendering::max_row_bytes`]. As an object it is empty for all rows
///   but the first;
/// - `bytes integer`: the bytes of it;
/// - `total_rows bigint`: the number of rows that match, before the cursor too, or null without [`Rendering::total`];
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
    /// The names of the values of a row, in their order.
    pub names: Vec<String>,
    /// Whether it is worth to be prepared (sqlx: `persistent`): all values are of the types that it wants. Where Postgres has to read some
    /// of them, it is to be planned with them each time: so each is read once and not for each row, and an invalid one is
    /// reported even if no row is read.
    pub can_be_prepared: bool,
    /// Whether it has the column `next_values`.
    pub has_next_values: bool,
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
        let mut sql = Writer::new(&self.root, rendering);
        sql.last_row = self.paging.after.as_ref();
        let body = sql.body(None);
        let limit = self.root.window.limit.into_iter().chain(rendering.max_rows).min();
        let full_page = limit
            .filter(|&limit| limit > 0 && rendering.next_values && self.can_continue() && !self.root.is_one_by_key());
        let order = complete(self.root.table, &self.root.order);
        // `page.*` means the row even if a column or alias is called `page`. Beside what the cursor is made of, the row is a part of the page. It
        // is put together without a subquery for each row, and the values of the cursor are texts in the last row only.
        let (from, row, last_values) = match full_page {
            Some(_) => {
                let keys = sql.keys_of_row(&order);
                let values = body.outputs.iter().enumerate();
                let mut items: Vec<_> = values.map(|(at, output)| output.shown_as(&format!("value_{at}"))).collect();
                items.extend(keys.iter().enumerate().map(|(at, key)| format!("{} AS key_{at}", key.expression)));
                let values = body.outputs.iter().enumerate();
                let listed: Vec<_> =
                    values.map(|(at, output)| format!("page.value_{at} AS {}", quoted(&output.name))).collect();
                let select = body.select_items(items);
                let texts: Vec<_> =
                    keys.iter().enumerate().map(|(at, key)| key.as_text(&format!("page.key_{at}"))).collect();
                (
                    format!("({select}) AS page, LATERAL (SELECT {}) AS listed", listed.join(", ")),
                    "listed.*",
                    format!("json_build_array({})::text", texts.join(", ")),
                )
            }
            None => (format!("({}) AS page", body.select()), "page.*", String::new()),
        };
        let shown_row = match rendering.shape {
            Shape::List | Shape::Object => format!("row_to_json({row})::text"),
            Shape::StrippedList | Shape::StrippedObject => format!("json_strip_nulls(row_to_json({row}))::text"),
            Shape::Csv => csv::line(row),
        };
        let row = match rendering.shape.is_object() {
            true => format!("CASE WHEN row_number() OVER () = 1 THEN {shown_row} ELSE '' END"),
            false => shown_row,
        };
        let [next_values, next_of_last] = match full_page {
            Some(limit) => [
                ", next_values".to_owned(),
                format!(", CASE WHEN row_number() OVER () = {limit} THEN {last_values} END AS next_values"),
            ],
            None if rendering.next_values => [", next_values".to_owned(), ", NULL::text AS next_values".to_owned()],
            None => Default::default(),
        };
        let shown = match rendering.max_row_bytes {
            Some(max) => format!("CASE WHEN octet_length(shown) <= {max} THEN shown END AS shown"),
            None => "shown".to_owned(),
        };
        let total = total(rendering.total, &body.counted());
        // OFFSET 0 keeps Postgres from making the JSON of a row once more for its size.
        let text = format!(
            "SELECT shown, bytes, total_rows{next_values} FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes{next_values} FROM (SELECT {row} AS shown{next_of_last} \
             FROM {from} OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        let names = body.outputs.into_iter().map(|output| output.name).collect();
        Sql { names, has_next_values: rendering.next_values, ..finish(sql, text) }
    }

    /// Renders the query as a statement that returns one row: `page_rows bigint`, the number of rows of the page, and `total_rows bigint` as
    /// above.
    #[must_use]
    pub fn to_counting_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let mut sql = Writer::new(&self.root, rendering);
        sql.last_row = self.paging.after.as_ref();
        let body = sql.body(None);
        let (page, total) = (body.select(), total(rendering.total, &body.counted()));
        let text = format!("SELECT (SELECT count(*) FROM ({page}) AS page) AS page_rows, {total} AS total_rows");
        finish(sql, text)
    }

    /// Renders a statement that has a row for each row that matches, to ask Postgres how many it expects.
    #[must_use]
    pub fn to_matching_sql(&self, rendering: &Rendering<'_>) -> Sql {
        let mut sql = Writer::new(&self.root, rendering);
        let counted = sql.body(None).counted();
        finish(sql, format!("SELECT 1 FROM {counted}"))
    }
}

/// The statement with this text, whose placeholders a writer has written.
fn finish(writer: Writer<'_>, text: String) -> Sql {
    let Writer { params, can_be_prepared, depends_on_clock, .. } = writer;
    Sql { text, params, names: Vec::new(), can_be_prepared, has_next_values: false, depends_on_clock }
}

/// The number of rows that match: of those that `counted` has after its `FROM`.
fn total(total: Total, counted: &str) -> String {
    match total {
        Total::Uncounted => "NULL::bigint".to_owned(),
        Total::Exact => format!("(SELECT count(*) FROM {counted})"),
        Total::UpTo(most) => format!("(SELECT count(*) FROM (SELECT 1 FROM {counted} LIMIT {most}) AS some_rows)"),
    }
}

#[cfg(test)]
mod embedding_tests;
#[cfg(test)]
mod tests;
