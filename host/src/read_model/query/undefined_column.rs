//! The error of Postgres for a missing column.
//!
//! Postgres itself is not asked: it reads `"flights"."count"` as `count("flights")` if there is no such column, and likewise for
//! every function that takes a row, and it has system columns such as `xmin`. Hence only declared columns are rendered, and the
//! error for others is made here. A test compares it with the real one.

use super::error::QueryError;
use crate::read_model::{Index, Table};

/// Postgres suggests no name that differs in more characters.
const MAX_DISTANCE: usize = 3;

/// The error for a name that no column of the table has.
pub(super) fn undefined_column(table: &Table, name: &str) -> QueryError {
    QueryError::undefined_column(table.name().as_str(), name, hint(table, name))
}

/// Suggests the one or two columns whose names are nearest, if they are near enough. For three or more there is no suggestion.
fn hint(table: &Table, name: &str) -> Option<String> {
    if table.index(name).is_some_and(Index::is_full_text) {
        return Some(format!(
            "\"{name}\" is a full-text index: write {name}=wfts.words to filter by it, and order={name}.rank.desc beside that."
        ));
    }
    let mut least = MAX_DISTANCE;
    let mut nearest = Vec::new();
    let length = name.chars().count();
    for column in table.columns() {
        let candidate = column.name.as_str();
        // The distance is at least this difference, and expensive to compute for a very long name.
        if candidate.len().abs_diff(length) > MAX_DISTANCE {
            continue;
        }
        let distance = strsim::levenshtein(candidate, name);
        // More than half of the name would have to change. Postgres counts bytes here.
        if distance > name.len() / 2 || distance > least {
            continue;
        }
        if distance < least {
            nearest.clear();
            least = distance;
        }
        nearest.push(candidate);
    }
    let table = table.name();
    match nearest.as_slice() {
        [one] => Some(format!("Perhaps you meant to reference the column \"{table}.{one}\".")),
        [one, other] => Some(format!(
            "Perhaps you meant to reference the column \"{table}.{one}\" or the column \"{table}.{other}\"."
        )),
        _ => None,
    }
}
