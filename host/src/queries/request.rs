//! What a reader asks for.

use super::limits::ReadLimits;
use crate::read_model::{Identifier, query::Shape};

/// A query on a table of a projection.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest<'a> {
    /// The projection.
    pub projection: &'a Identifier,
    /// The table.
    pub table: &'a str,
    /// The query string of the URL.
    pub query: &'a str,
    /// Whether a list is wanted or one object.
    pub shape: Shape,
    /// Whether to count all rows that match.
    pub exact_count: bool,
    /// What it may cost.
    pub limits: &'a ReadLimits,
}
