//! What the author says of tables and columns, as comments.

use crate::api::{ColumnDescriptor, TableDescriptor};

/// What is said of a table, on one line.
pub(super) fn said_of(table: &TableDescriptor) -> Option<String> {
    table.description.as_deref().map(on_one_line)
}

/// What is said of a column, and what its type does not say.
pub(super) fn comment(column: &ColumnDescriptor, note: &str) -> Vec<String> {
    let note = (!note.is_empty()).then(|| note.to_owned());
    column.description.as_deref().map(on_one_line).into_iter().chain(note).collect()
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
