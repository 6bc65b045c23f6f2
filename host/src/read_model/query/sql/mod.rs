//! Renders a query as SQL.

mod body;
mod conditions;
mod embedding;
mod order;
mod output;
mod writer;

use self::writer::Writer;
use super::{Query, param::Param, rendering::Rendering, shape::Shape};

/// A statement that returns a row for each row of the page, in its order, with three columns:
///
/// - `shown text`: the row as JSON; null if it is larger than [`Rendering::max_row_bytes`]. With [`Shape::Object`] it is empty for all
///   rows but the first;
/// - `bytes integer`: the bytes of it;
/// - `total_rows bigint`: the number of rows that match, or null without [`Rendering::exact_count`].
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
        let mut sql = Writer::new(&self.root, rendering);
        let body = sql.body(None);
        let (select, counted) = (body.select(), body.counted());

        // `page.*` means the row even if a column or alias is called `page`.
        let row = match rendering.shape {
            Shape::List => "row_to_json(page.*)::text",
            Shape::Object => "CASE WHEN row_number() OVER () = 1 THEN row_to_json(page.*)::text ELSE '' END",
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
            "SELECT shown, bytes, total_rows FROM (SELECT {total} AS total_rows) AS counted \
             LEFT JOIN (SELECT {shown}, octet_length(shown) AS bytes FROM (SELECT {row} AS shown \
             FROM ({select}) AS page OFFSET 0) AS json_rows) AS page_rows ON true"
        );
        let Writer { params, can_be_prepared, depends_on_clock, .. } = sql;
        Sql { text, params, can_be_prepared, depends_on_clock }
    }
}

#[cfg(test)]
mod embedding_tests;
#[cfg(test)]
mod tests;
