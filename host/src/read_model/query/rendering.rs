//! How to render a query, in addition to what the query says.

use super::shape::Shape;

/// How to render a query, in addition to what the query says.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The schema that holds the table.
    pub schema: &'a str,
    /// What stands after `FROM` instead of the table that is asked: a subquery with the columns of that table, in parentheses. Such a query embeds
    /// nothing.
    pub rows: Option<&'a str>,
    /// Whether the result is a list or one object.
    pub shape: Shape,
    /// Whether to count all rows that match, not only those of the page.
    pub total: Total,
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
