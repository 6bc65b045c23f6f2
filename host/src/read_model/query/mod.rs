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

mod csv;
mod cursor;
mod error;
mod filter;
mod instant;
mod limits;
mod local_time;
mod logic;
mod misses;
mod name;
mod operand_limits;
mod order;
mod param;
mod parameters;
mod select;
mod shape;
mod sql;
mod undefined_column;
mod value;
mod window;

pub use self::{
    csv::csv_header,
    error::{ErrorCode, QueryError},
    limits::{
        MAX_CONDITIONS, MAX_DEPTH, MAX_ORDER_TERMS, MAX_PATTERN_BYTES, MAX_POSTED_QUERY_BYTES, MAX_QUERY_BYTES,
        MAX_REPEATED, MAX_SELECTED, MAX_WILDCARDS, MAX_WORDS_BYTES,
    },
    param::Param,
    shape::Shape,
    sql::{Rendering, Sql, Total},
    window::RowRange,
};
use self::{
    logic::Logic, order::OrderTerm, parameters::Parameters, parameters::Where, select::Selected, window::Window,
};
use crate::read_model::Table;

/// A query on a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Query<'t> {
    table: &'t Table,
    select: Vec<Selected<'t>>,
    /// All of them must hold.
    conditions: Vec<Logic<'t>>,
    order: Vec<OrderTerm<'t>>,
    window: Window,
}

impl<'t> Query<'t> {
    /// Parses a query string as it is in the URL, without the `?`.
    ///
    /// # Errors
    /// PostgREST's own error if it refuses the query too, otherwise one in the same form.
    pub fn parse(query: &str, table: &'t Table) -> Result<Self, QueryError> {
        Self::parse_within(query, table, MAX_QUERY_BYTES)
    }

    /// The same, for a query that came otherwise than in a URL and may have so many bytes.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub fn parse_within(query: &str, table: &'t Table, max_bytes: usize) -> Result<Self, QueryError> {
        let parameters = Parameters::parse_within(query, max_bytes)?;
        let select = select::select(table, parameters.select.as_deref().unwrap_or_default())?;
        let mut conditions = Vec::with_capacity(parameters.wheres.len());
        let mut count = 0;
        for parameter in &parameters.wheres {
            let logic = match parameter {
                Where::Filter { key, value } => Logic::Condition(filter::filter(table, key, value)?),
                Where::Logic { key, value } => logic::logic(table, key, value)?,
            };
            count += logic.conditions();
            if count > MAX_CONDITIONS {
                return Err(QueryError::too_many("conditions", MAX_CONDITIONS));
            }
            conditions.push(logic);
        }
        let order = parameters.order.map(|value| order::order(table, &value)).transpose()?.unwrap_or_default();
        let window = window::window(parameters.limit.as_deref(), parameters.offset.as_deref())?;
        Ok(Self { table, select, conditions, order, window })
    }

    /// The same query for those rows of its page that are in the range.
    ///
    /// # Errors
    /// Page and range have no row in common.
    pub fn within(self, range: Option<RowRange>) -> Result<Self, QueryError> {
        let window = range.map_or(Ok(self.window), |range| self.window.within(range))?;
        Ok(Self { window, ..self })
    }

    /// The names of the columns of its result, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.select.iter().map(|selected| selected.alias.as_deref().unwrap_or_else(|| selected.column.name.as_str()))
    }

    /// The number of rows before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.window.offset
    }
}

#[cfg(test)]
mod tests;
