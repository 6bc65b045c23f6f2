//! What an ambiguous embedding may mean.

use serde::Serialize;

/// A relationship that a query may mean, as errors list it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// `many-to-one`, `one-to-many`, `one-to-one` or `many-to-many`.
    pub cardinality: &'static str,
    /// The two tables.
    pub embedding: String,
    /// The references that it is made of, and their columns.
    pub relationship: String,
    /// How a query says that it means this one.
    #[serde(skip)]
    pub hint: String,
}
