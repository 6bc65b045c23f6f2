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

mod array_text;
mod condition;
mod cursor;
mod error;
mod field;
mod filter;
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
mod regex_limits;
mod select;
mod shape;
mod sql;
mod undefined_column;
mod value;
mod window;

pub use self::{
    error::{ErrorCode, QueryError},
    limits::{
        MAX_CONDITIONS, MAX_CURSOR_BYTES, MAX_DEPTH, MAX_ORDER_TERMS, MAX_PATH_STEPS, MAX_PATTERN_BYTES,
        MAX_QUERY_BYTES, MAX_REGEX_SIZE, MAX_REPEATED, MAX_SELECTED, MAX_SNIPPET_CHARS, MAX_WILDCARDS, MAX_WORDS_BYTES,
    },
    param::Param,
    shape::Shape,
    sql::{Rendering, Sql},
};
use self::{
    logic::Logic,
    next_page::Paging,
    order::OrderTerm,
    parameters::{Parameters, Where},
    select::Selected,
    window::Window,
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
    paging: Paging,
}

impl<'t> Query<'t> {
    /// Parses a query string as it is in the URL, without the `?`.
    ///
    /// # Errors
    /// PostgREST's own error if it refuses the query too, otherwise one in the same form.
    pub fn parse(query: &str, table: &'t Table) -> Result<Self, QueryError> {
        let parameters = Parameters::parse(query)?;
        let select = select::select(table, parameters.select.as_deref().unwrap_or_default())?;
        let mut conditions = Vec::with_capacity(parameters.wheres.len());
        let mut count = 0;
        for parameter in &parameters.wheres {
            let logic = match parameter {
                Where::Filter { key, value } => Logic::Condition(filter::filter(table, field::key(key)?, value)?),
                Where::Logic { key, value } => logic::logic(table, key, value)?,
            };
            count += logic.conditions();
            if count > MAX_CONDITIONS {
                return Err(QueryError::too_many("conditions", MAX_CONDITIONS));
            }
            conditions.push(logic);
        }
        let order = parameters.order.as_deref();
        let order = order.map(|value| order::order(table, value, &conditions)).transpose()?.unwrap_or_default();
        let window = window::window(parameters.limit.as_deref(), parameters.offset.as_deref())?;
        let paging = Paging::read(table, &parameters)?;
        let query = Self { table, select, conditions, order, window, paging };
        match query.why_without_cursor(parameters.offset.is_some()) {
            Some(reason) => query.paging.refuse(reason)?,
            None => query.paging.check(order::complete(table, &query.order).len())?,
        }
        Ok(query)
    }

    /// Whether the page can be followed by one that begins after its last row.
    #[must_use]
    pub fn can_continue(&self) -> bool {
        self.why_without_cursor(self.window.offset > 0).is_none()
    }

    fn why_without_cursor(&self, has_offset: bool) -> Option<&'static str> {
        if has_offset {
            return Some("Pages by cursors have no offset.");
        }
        let by_rank = self.order.iter().any(|term| term.by.field().is_none());
        by_rank.then_some(
            "A rank changes with the words of other rows, so pages by rank have no cursors; use limit and offset.",
        )
    }

    /// The cursor of the next page, from what [`Sql`] returns with the last row: `next_values`. `None` if it would be too long.
    ///
    /// # Errors
    /// It would be too long, and the query has the parameter `cursor`: who reads page by page must not take this one for the last.
    pub fn next_cursor(&self, next_values: &str) -> Result<Option<String>, QueryError> {
        self.paging.after_row(next_values)
    }

    /// The number of rows before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.window.offset
    }
}

#[cfg(test)]
mod tests;
