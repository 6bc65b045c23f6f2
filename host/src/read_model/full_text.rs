//! The words of a full-text index as SQL.

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;

use super::table::{Index, IndexKind, Table};

/// The expression of the words of a full-text index, which an index is made of and a query repeats; `prefix` stands before each
/// column. Empty for an index of another kind.
///
/// Each text is cut where the words of all columns together would be too many for Postgres, so that a long text never fails.
pub(super) fn words(table: &Table, index: &Index, prefix: &str) -> String {
    let IndexKind::FullText { language, columns } = &index.kind else { return String::new() };
    let max = MAX_FULL_TEXT_CHARS / columns.len().max(1);
    let parts = columns.iter().map(|(column, weight)| {
        let name = table.columns()[*column].name.quoted();
        format!(
            "setweight(to_tsvector('pg_catalog.{language}'::regconfig, left(coalesce({prefix}{name}, ''), {max})), '{}')",
            weight.letter()
        )
    });
    parts.collect::<Vec<_>>().join(" || ")
}
