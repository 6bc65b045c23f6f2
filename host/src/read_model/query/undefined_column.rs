//! What Postgres says of a column that is not there.
//!
//! Postgres itself is not asked: it reads `"flights"."count"`, where no column has that name, as `count("flights")`,
//! and so for every function that takes a row, and it has columns of its own such as `xmin`. Hence only columns of the
//! table are ever rendered, and the words for others are found here. A test holds them against the real ones.

use super::error::QueryError;
use crate::read_model::Table;

/// Postgres suggests no name that differs in more characters.
const MAX_DISTANCE: usize = 3;

/// The error for a name that no column of the table has.
pub(super) fn undefined_column(table: &Table, name: &str) -> QueryError {
    QueryError::undefined_column(table.name().as_str(), name, hint(table, name))
}

/// The one or two columns whose names are nearest, if they are near. Three are as good as none.
fn hint(table: &Table, name: &str) -> Option<String> {
    let mut least = MAX_DISTANCE;
    let mut nearest = Vec::new();
    let length = name.chars().count();
    for column in table.columns() {
        let candidate = column.name.as_str();
        // The distance is no less; and it takes long to find for a name as long as a query may be.
        if candidate.len().abs_diff(length) > MAX_DISTANCE {
            continue;
        }
        let distance = strsim::levenshtein(candidate, name);
        // More than half of the name would have to change. Postgres counts its bytes here.
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
