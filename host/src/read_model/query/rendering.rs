//! How to render a query, in addition to what the query says.

use super::shape::Shape;

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
    /// [`Query::next_cursor`](super::Query::next_cursor) makes a cursor. Only if [`Query::can_continue`](super::Query::can_continue).
    pub next_values: bool,
    /// The number of the first placeholder: 1 for a statement on its own, more for a part of a statement that has other
    /// parameters before.
    pub first_placeholder: usize,
}
