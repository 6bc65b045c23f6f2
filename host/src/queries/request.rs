//! What a reader asks for.

use super::{explain::Explain, limits::ReadLimits};
use crate::{
    event_log::Position,
    read_model::{
        Identifier,
        query::{MAX_QUERY_BYTES, RowRange, Shape},
    },
};

/// A query on a table of a projection.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    /// The projection.
    pub projection: &'a Identifier,
    /// The table.
    pub table: &'a str,
    /// The query string of the URL, or one that says the same.
    pub query: &'a str,
    /// The most bytes that it may have.
    pub max_query_bytes: usize,
    /// The rows that are wanted of its page.
    pub range: Option<RowRange>,
    /// In which form they are wanted.
    pub shape: Shape,
    /// Whether they are only counted, and the body is empty.
    pub without_rows: bool,
    /// How all rows that match are counted.
    pub count: Count,
    /// The time zone of instants in the answer, and in the query if they name none. Postgres [knows](super::Queries::knows_zone) it. UTC if it
    /// is `None`.
    pub zone: Option<&'a str>,
    /// Instead of rows, how Postgres would read them.
    pub plan: Option<Explain>,
    /// The position that is asked for, if it is one of the past.
    pub as_of: Option<Position>,
    /// What it may cost.
    pub limits: &'a ReadLimits,
}

/// How all rows that match are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// Not at all.
    #[default]
    Uncounted,
    /// One by one.
    Exact,
    /// As many as Postgres expects.
    Planned,
    /// One by one up to the most rows of a page; if there are more, as many as Postgres expects.
    Estimated,
}

impl<'a> ReadRequest<'a> {
    /// A query for a list of rows that are not counted.
    #[must_use]
    pub fn new(projection: &'a Identifier, table: &'a str, query: &'a str, limits: &'a ReadLimits) -> Self {
        Self {
            projection,
            table,
            query,
            max_query_bytes: MAX_QUERY_BYTES,
            range: None,
            shape: Shape::List,
            without_rows: false,
            count: Count::Uncounted,
            zone: None,
            plan: None,
            as_of: None,
            limits,
        }
    }
}
