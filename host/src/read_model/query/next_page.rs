//! Cursors: where a page ends, so that the next one begins after that row, whatever is written meanwhile.
//!
//! A cursor holds the values by which the last row of a page is ordered, its key among them. It is of one query: another order or another
//! filter would make other pages of it, so it has a hash of both, and is refused elsewhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    error::QueryError,
    limits::MAX_CURSOR_BYTES,
    parameters::{Kind, Parameters},
};
use crate::read_model::Table;

/// The form of what a cursor holds. A later form gets another number.
const VERSION: u8 = 1;

/// What a cursor holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    #[serde(rename = "v")]
    version: u8,
    /// The hash of the query.
    #[serde(rename = "q")]
    query: String,
    /// A value for each term of the order; `None` is null.
    #[serde(rename = "k")]
    values: Vec<Option<String>>,
}

/// The values by which the last row of the page before is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastRow {
    pub(super) values: Vec<Option<String>>,
}

/// What a query says on cursors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// The hash of what a cursor is bound to.
    query: String,
    /// Whether the query has the parameter `cursor`. It wants to go on then, or to be told why it cannot.
    is_wanted: bool,
    /// After which row the page begins; `None` is the beginning.
    pub(super) after: Option<LastRow>,
}

impl Paging {
    /// Reads the parameter `cursor`. It may be empty, for the first page.
    ///
    /// # Errors
    /// It is not a cursor, or is one of another query.
    pub(super) fn read(table: &Table, parameters: &Parameters) -> Result<Self, QueryError> {
        let query = hash(table, parameters);
        let cursor = parameters.cursor.as_deref();
        let after = cursor.filter(|cursor| !cursor.is_empty()).map(|cursor| last_row(cursor, &query)).transpose()?;
        Ok(Self { query, is_wanted: cursor.is_some(), after })
    }

    /// Checks that the cursor fits an order of so many terms.
    ///
    /// # Errors
    /// It has more values or fewer, since the key of the table has changed.
    pub(super) fn check(&self, terms: usize) -> Result<(), QueryError> {
        match &self.after {
            Some(last) if last.values.len() != terms => Err(QueryError::cursor_of_another_query()),
            _ => Ok(()),
        }
    }

    /// Refuses a cursor where there is none, for a reason.
    ///
    /// # Errors
    /// The query has one.
    pub(super) fn refuse(&self, reason: &str) -> Result<(), QueryError> {
        if self.is_wanted { Err(QueryError::no_cursor(reason)) } else { Ok(()) }
    }

    /// The cursor after a row, whose values are a JSON array as the statement returns it.
    ///
    /// # Errors
    /// The values are too long, and the query has the parameter `cursor`.
    pub(super) fn after_row(&self, values: &str) -> Result<Option<String>, QueryError> {
        let Ok(values) = serde_json::from_str(values) else { return Ok(None) };
        let held = Held { version: VERSION, query: self.query.clone(), values };
        let Ok(json) = serde_json::to_vec(&held) else { return Ok(None) };
        let cursor = URL_SAFE_NO_PAD.encode(json);
        if cursor.len() <= MAX_CURSOR_BYTES {
            return Ok(Some(cursor));
        }
        self.refuse(&format!(
            "The values that the last row is ordered by make a cursor of {} bytes; at most {MAX_CURSOR_BYTES} are allowed. Order by \
             columns with short values.",
            cursor.len()
        ))?;
        Ok(None)
    }
}

fn last_row(cursor: &str, query: &str) -> Result<LastRow, QueryError> {
    if cursor.len() > MAX_CURSOR_BYTES {
        return Err(QueryError::invalid_cursor());
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| QueryError::invalid_cursor())?;
    let held: Held = serde_json::from_slice(&json).map_err(|_| QueryError::invalid_cursor())?;
    if held.version != VERSION || held.values.iter().flatten().any(|value| value.contains('\0')) {
        return Err(QueryError::invalid_cursor());
    }
    if held.query != query {
        return Err(QueryError::cursor_of_another_query());
    }
    Ok(LastRow { values: held.values })
}

/// A hash of the table, the order and the filters, in whatever order these are, and of the same of what is embedded.
fn hash(table: &Table, parameters: &Parameters) -> String {
    let is_window = |kind: &Kind| matches!(kind, Kind::Limit | Kind::Offset);
    let bound = parameters.placed.iter().filter(|its| !(its.path.is_empty() && is_window(&its.kind)));
    let mut bound: Vec<_> = bound.map(|its| [its.key.as_str(), its.value.as_str()]).collect();
    bound.sort_unstable();
    let mut hash = Sha256::new();
    for part in [table.name().as_str()].into_iter().chain(bound.into_iter().flatten()) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "next_page_tests.rs"]
mod tests;
