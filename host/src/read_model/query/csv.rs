//! Comma-separated values (RFC 4180), as Postgres writes them.

use std::borrow::Cow;

/// The line with the names of the columns. PostgREST writes names with commas or quotes in them as they are; here they are in quotes.
#[must_use]
pub fn csv_header<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(field).collect::<Vec<_>>().join(",")
}

fn field(text: &str) -> Cow<'_, str> {
    let needs_quotes = text.is_empty() || text.contains([',', '"', '\n', '\r']);
    if needs_quotes { Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))) } else { Cow::Borrowed(text) }
}

/// The SQL of a row as a line. Postgres writes a row as such a line in brackets, in which each backslash is twice; PostgREST leaves that so.
pub(super) fn line(row: &str) -> String {
    format!(r"replace(left(substr(({row})::text, 2), -1), '\\', '\')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_quotes_where_they_need_them() {
        assert_eq!(
            csv_header(["id", "a b", "a,b", "a\"b", "é", "", "a\nb"]),
            "id,a b,\"a,b\",\"a\"\"b\",é,\"\",\"a\nb\""
        );
        assert_eq!(csv_header([]), "");
    }
}
