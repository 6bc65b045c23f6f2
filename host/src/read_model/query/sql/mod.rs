//! Renders a query as SQL.

mod body;
mod conditions;
mod embedding;
mod full_text;
mod next_page;
mod order;
mod output;
mod writer;

use self::{output::Output, writer::Writer};
use super::{Query, order::complete, param::Param, rendering::Rendering, shape::Shape};

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
        let counted = body.counted();
        let limit = self.root.window.limit.into_iter().chain(rendering.max_rows).min();
        let full_page = limit.filter(|&limit| limit > 0 && rendering.next_values && self.can_continue());
        // `page.*` means the row even if a column or alias is called `page`. Beside the values of the last row, the row is one column.
        let (select, row) = match full_page {
            Some(_) => {
                let items = body.outputs.iter().map(Output::shown).collect::<Vec<_>>().join(", ");
                let (values, row) =
                    (sql.values_of_row(&complete(self.root.table, &self.root.order)), name_beside(&items));
                let listed = format!("(SELECT {row} FROM (SELECT {items}) AS {row}) AS listed");
                (body.select_items(vec![listed, format!("{values} AS next_values")]), "page.listed")
            }
            None => (body.select(), "page.*"),
        };
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
            true => format!("(SELECT count(*) FROM {counted})"),
        };
        // OFFSET 0 keeps Postgres from making the JSON of a row once more for its size.
        let text = format!(
            "SELECT shown, bytes, total_rows{next_values} FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes{next_values} FROM (SELECT {row} AS shown{next_of_last} \
             FROM ({select}) AS page OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        let Writer { params, can_be_prepared, depends_on_clock, .. } = sql;
        Sql { text, params, can_be_prepared, has_next_values: rendering.next_values, depends_on_clock }
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
mod embedding_tests;
#[cfg(test)]
mod tests;
