//! Queries on read models, in the grammar of PostgREST's query strings.
//!
//! A query string is parsed against the declaration of its table ([`Query::parse`]) and rendered as one statement that
//! answers one row ([`Query::to_sql`]). Each part of the grammar has a file of its own; all read their text through the
//! cursor, which words the syntax errors. Names of columns are resolved while parsing, so that the SQL holds no name
//! that the declaration does not, except the aliases of the answer; values are bound, never written into the SQL.
//!
//! Where PostgREST ignores something that the client wrote, such as what stands behind a complete filter, a parameter without
//! `=` or a limit that is not a number, we refuse it: a condition that is dropped without a word answers another question. What
//! PostgREST knows and we do not is refused by name (PGRST127).
//!
//! What PostgREST says by headers and status codes is not here but in `http::postgrest`.

mod cursor;
mod error;
mod filter;
mod instant;
mod limits;
mod logic;
mod misses;
mod name;
mod order;
mod parameters;
mod select;
mod sql;
mod undefined_column;
mod value;
mod window;

pub use self::{
    error::{ErrorCode, QueryError},
    limits::{MAX_CONDITIONS, MAX_DEPTH, MAX_ORDER_TERMS, MAX_QUERY_BYTES, MAX_SELECTED},
    sql::{Rendering, Shape, Sql},
};
use self::{
    logic::Logic, order::OrderTerm, parameters::Parameters, parameters::Where, select::Selected, window::Window,
};
use crate::read_model::Table;

/// What a client wants to know of a table.
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
    /// Reads a query string as it stands in the URL, without the `?`.
    ///
    /// # Errors
    /// What PostgREST answers where it does, else what is wrong in its form.
    pub fn parse(query: &str, table: &'t Table) -> Result<Self, QueryError> {
        let parameters = Parameters::parse(query)?;
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

    /// How many rows stand before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.window.offset
    }
}

#[cfg(test)]
mod tests;
