//! Queries on read models, in the grammar of PostgREST's query strings.
//!
//! A query string is parsed against the declarations of the tables of its projection ([`Query::parse_in`]) and rendered as one
//! statement ([`Query::to_sql`]). Each part of the grammar has a file of its own; all read their text through the
//! cursor, which formats syntax errors. Names of columns are resolved while parsing, so the SQL contains only declared names
//! and aliases; values are bound, never written into the SQL.
//!
//! PostgREST ignores some things that a client wrote: text after a complete filter, a parameter without `=`, a limit that is not
//! a number. Gnomon refuses them, since a query without one of its conditions returns other rows. Features of PostgREST that
//! Gnomon does not have are refused by name (PGRST127).
//!
//! Headers and status codes of PostgREST are in `http::postgrest`.

mod aggregate;
mod array_text;
mod asked_keys;
mod candidate;
mod cast;
mod catalog;
mod condition;
mod csv;
mod cursor;
mod error;
mod field;
mod filter;
mod followed;
mod found_words;
mod instant;
mod json_path;
mod limits;
mod local_time;
mod logic;
mod misses;
mod name;
mod next_page;
mod operand_limits;
mod operator;
mod order;
mod param;
mod parameters;
mod placed;
mod reference_link;
mod regex_limits;
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
    csv::csv_header,
    error::{ErrorCode, QueryError},
    followed::Followed,
    limits::{
        MAX_CONDITIONS, MAX_CURSOR_BYTES, MAX_DEPTH, MAX_EMBEDDING_DEPTH, MAX_EMBEDDINGS, MAX_ORDER_TERMS,
        MAX_PATH_STEPS, MAX_PATTERN_BYTES, MAX_POSTED_QUERY_BYTES, MAX_QUERY_BYTES, MAX_REGEX_SIZE, MAX_REPEATED,
        MAX_SELECTED, MAX_SNIPPET_CHARS, MAX_WILDCARDS, MAX_WORDS_BYTES, MAX_WRITTEN_CONDITIONS,
    },
    param::Param,
    rendering::{Rendering, Total},
    shape::Shape,
    sql::{ChangedRowsSql, ColumnsSql, LiveSql, Sql},
    window::RowRange,
};
use self::{next_page::Paging, order::OrderBy, parameters::Parameters, resource::Resource};
use crate::read_model::Table;

/// A query on a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Query<'t> {
    /// The table, and what is embedded into its rows.
    root: Resource<'t>,
    paging: Paging,
}

impl<'t> Query<'t> {
    /// Parses a query string as it is in the URL, without the `?`. `catalog` has the tables that may be embedded.
    ///
    /// # Errors
    /// PostgREST's own error if it refuses the query too, otherwise one in the same form.
    pub fn parse_in(catalog: &Catalog<'t>, table: &'t Table, query: &str) -> Result<Self, QueryError> {
        Self::parse_within(catalog, table, query, MAX_QUERY_BYTES)
    }

    /// The same, for a query that came otherwise than in a URL and may have so many bytes.
    ///
    /// # Errors
    /// Those of [`parse_in`](Self::parse_in).
    pub fn parse_within(
        catalog: &Catalog<'t>,
        table: &'t Table,
        query: &str,
        max_bytes: usize,
    ) -> Result<Self, QueryError> {
        let parameters = Parameters::parse_within(query, max_bytes)?;
        let items = select::select(parameters.select.as_deref().unwrap_or_default())?;
        let mut root = resource::resource(catalog, table, items)?;
        let paging = Paging::read(table, &parameters)?;
        placed::place(&mut root, parameters.placed)?;
        let query = Self { root, paging };
        match query.why_without_cursor() {
            Some(reason) => query.paging.refuse(reason)?,
            None => query.paging.check(order::complete(table, &query.root.order).len())?,
        }
        Ok(query)
    }

    /// Whether the page can be followed by one that begins after its last row.
    #[must_use]
    pub fn can_continue(&self) -> bool {
        self.why_without_cursor().is_none()
    }

    fn why_without_cursor(&self) -> Option<&'static str> {
        if self.root.window.offset > 0 {
            return Some("Pages by cursors have no offset.");
        }
        if self.root.is_grouped() {
            return Some("Pages of groups have no cursors.");
        }
        self.root.order.iter().find_map(|term| match term.by {
            OrderBy::Field(_) => None,
            OrderBy::Embedded(..) => {
                Some("Pages in the order of an embedded resource have no cursors; use limit and offset.")
            }
            OrderBy::Rank(_) => Some("Pages in the order of a rank have no cursors; use limit and offset."),
        })
    }

    /// The cursor of the next page, from what [`Sql`] returns with the last row: `next_values`. `None` if it would be too long.
    ///
    /// # Errors
    /// It would be too long, and the query has the parameter `cursor`: who reads page by page must not take this one for the last.
    pub fn next_cursor(&self, next_values: &str) -> Result<Option<String>, QueryError> {
        self.paging.after_row(next_values)
    }

    /// Parses a query on a table that is alone in its projection.
    ///
    /// # Errors
    /// As [`parse_in`](Self::parse_in).
    #[cfg(test)]
    pub fn parse(query: &str, table: &'t Table) -> Result<Self, QueryError> {
        Self::parse_in(&Catalog { projection: "airline", tables: vec![table], aggregates: true }, table, query)
    }

    /// The same query for those rows of its page that are in the range.
    ///
    /// # Errors
    /// Page and range have no row in common.
    pub fn within(mut self, range: Option<RowRange>) -> Result<Self, QueryError> {
        if let Some(range) = range {
            self.root.window = self.root.window.within(range)?;
        }
        Ok(self)
    }

    /// The number of rows before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.root.window.offset
    }
}

#[cfg(test)]
mod tests;
