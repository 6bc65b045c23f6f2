//! Queries on read models, in the grammar of PostgREST's query strings.
//!
//! A query string is parsed against the declaration of its table ([`Query::parse`]) and rendered as one statement that
//! returns one row ([`Query::to_sql`]). Each part of the grammar has a file of its own; all read their text through the
//! cursor, which formats syntax errors. Names of columns are resolved while parsing, so the SQL contains only declared names
//! and aliases; values are bound, never written into the SQL.
//!
//! PostgREST ignores some things that a client wrote: text after a complete filter, a parameter without `=`, a limit that is not
//! a number. Gnomon refuses them, since a query without one of its conditions returns other rows. Features of PostgREST that
//! Gnomon does not have are refused by name (PGRST127).
//!
//! Headers and status codes of PostgREST are in `http::postgrest`.

mod aggregate;
mod candidate;
mod cast;
mod catalog;
mod cursor;
mod error;
mod field;
mod filter;
mod instant;
mod json_path;
mod limits;
mod local_time;
mod logic;
mod misses;
mod name;
mod operand_limits;
mod order;
mod param;
mod parameters;
mod placed;
mod reference_link;
mod relationship;
mod relationship_error;
mod rendering;
mod resource;
mod scope;
mod select;
mod shape;
mod sql;
mod undefined_column;
mod value;
mod window;
mod written;

pub use self::{
    candidate::Candidate,
    catalog::Catalog,
    error::{ErrorCode, QueryError},
    limits::{
        MAX_CONDITIONS, MAX_DEPTH, MAX_EMBEDDINGS, MAX_EMBEDDING_DEPTH, MAX_ORDER_TERMS, MAX_PATH_STEPS, MAX_PATTERN_BYTES, MAX_QUERY_BYTES, MAX_REPEATED,
        MAX_SELECTED, MAX_WILDCARDS, MAX_WORDS_BYTES, MAX_WRITTEN_CONDITIONS,
    },
    param::Param,
    rendering::Rendering,
    shape::Shape,
    sql::Sql,
};
use self::{parameters::Parameters, resource::Resource};
use crate::read_model::Table;

/// A query on a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Query<'t> {
    /// The table, and what is embedded into its rows.
    root: Resource<'t>,
}

impl<'t> Query<'t> {
    /// Parses a query string as it is in the URL, without the `?`. `catalog` has the tables that may be embedded.
    ///
    /// # Errors
    /// PostgREST's own error if it refuses the query too, otherwise one in the same form.
    pub fn parse_in(catalog: &Catalog<'t>, table: &'t Table, query: &str) -> Result<Self, QueryError> {
        let parameters = Parameters::parse(query)?;
        let items = select::select(parameters.select.as_deref().unwrap_or_default())?;
        let mut root = resource::resource(catalog, table, items)?;
        placed::place(&mut root, parameters.placed)?;
        Ok(Self { root })
    }

    /// Parses a query on a table that is alone in its projection.
    ///
    /// # Errors
    /// As [`parse_in`](Self::parse_in).
    #[cfg(test)]
    pub fn parse(query: &str, table: &'t Table) -> Result<Self, QueryError> {
        Self::parse_in(&Catalog { projection: "airline", tables: vec![table], aggregates: true }, table, query)
    }

    /// The number of rows before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.root.window.offset
    }
}

#[cfg(test)]
mod tests;
