//! The words of a full-text index as SQL.

use gnomon_values::limits::MAX_FULL_TEXT_CHARS;

use super::table::{Index, IndexKind, Table};

/// The expression of the words of a full-text index, which an index is made of and a query repeats; `prefix` stands before each
/// column. Empty for an index of another kind.
///
/// Each text is cut where the words of all columns together would be too many for Postgres, so that a long text never fails. Texts without
/// blanks are cut into parts, since Postgres looks at some of them again from each of their characters: 100,000 characters of `a_a_a_…`
/// take it a minute, and in parts a quarter of a second.
pub(super) fn words(table: &Table, index: &Index, prefix: &str) -> String {
    let IndexKind::FullText { language, columns } = &index.kind else { return String::new() };
    let max = MAX_FULL_TEXT_CHARS / columns.len().max(1);
    let parts = columns.iter().map(|(column, weight)| {
        let name = table.columns()[*column].name.quoted();
        let text = bounded(&format!("coalesce({prefix}{name}, '')"), max);
        format!("setweight(to_tsvector('pg_catalog.{language}'::regconfig, {text}), '{}')", weight.letter())
    });
    parts.collect::<Vec<_>>().join(" || ")
}

/// The beginning of a text, in a form whose words Postgres finds in a time that grows with its length.
pub(super) fn bounded(text: &str, max_chars: usize) -> String {
    // Regular expressions refuse the collation of case-insensitive columns.
    format!("regexp_replace(left({text}, {max_chars}) COLLATE \"C\", '(\\S{{{MAX_WORD_CHARS}}})', '\\1 ', 'g')")
}

/// A word that is longer is taken for several.
const MAX_WORD_CHARS: usize = 200;
