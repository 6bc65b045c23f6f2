//! Reads names in a query, and resolves those of columns.

use super::{
    cursor::{Cursor, Parsed, Stop},
    error::QueryError,
    undefined_column::undefined_column,
};
use crate::read_model::{Column, Identifier, Table};

/// Reads a name: letters, digits, `_`, `$`, blanks within and `-`, or anything in double quotes.
pub(super) fn name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    match cursor.peek() {
        Some('"') => quoted(cursor),
        Some(first) if in_name(first) => plain(cursor),
        _ => {
            cursor.miss("field name (* or [a..z0..9_$])");
            Err(Stop::Mismatch)
        }
    }
}

fn in_name(letter: char) -> bool {
    letter.is_alphabetic() || letter.is_ascii_digit() || matches!(letter, '_' | '$' | ' ')
}

fn plain(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let mut name = String::new();
    loop {
        let part = cursor.take_while(in_name);
        cursor.miss("letter");
        cursor.miss("digit");
        if part.is_empty() {
            return Err(Stop::Mismatch);
        }
        name.push_str(part.trim());
        // `->` leads into JSON.
        if cursor.rest().starts_with("->") || !cursor.literal("-") {
            return Ok(name);
        }
        name.push('-');
    }
}

/// Reads a text in double quotes, where a backslash escapes the next character.
pub(super) fn quoted(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.expect("\"")?;
    let mut text = String::new();
    loop {
        text.push_str(cursor.take_while(|next| !matches!(next, '"' | '\\')));
        match cursor.take() {
            Some('"') => return Ok(text),
            Some(_) => match cursor.take() {
                Some(escaped) => text.push(escaped),
                None => {
                    cursor.miss("any character");
                    return Err(Stop::Mismatch);
                }
            },
            None => {
                cursor.miss_text("\"");
                return Err(Stop::Mismatch);
            }
        }
    }
}

/// Reads the alias of a column and the `:` after it. Refuses aliases that Postgres would truncate, and those that it refuses as
/// invalid SQL.
pub(super) fn alias(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let alias = name(cursor)?;
    cursor.expect(":")?;
    if cursor.peek() == Some(':') {
        // `::` leads into a cast.
        return Err(Stop::Mismatch);
    }
    if alias.is_empty() {
        return Err(cursor.refuse("An alias must not be empty."));
    }
    if alias.len() > Identifier::MAX_BYTES {
        let (bytes, limit) = (alias.len(), Identifier::MAX_BYTES);
        return Err(cursor.refuse(format!("The alias has {bytes} bytes; at most {limit} are allowed.")));
    }
    if alias.contains('\0') {
        return Err(cursor.refuse("An alias must not contain NUL."));
    }
    Ok(alias)
}

/// The column of this name.
pub(super) fn column<'t>(table: &'t Table, name: &str) -> Result<&'t Column, QueryError> {
    table.column(name).ok_or_else(|| undefined_column(table, name))
}

#[cfg(test)]
mod tests {
    use super::{super::cursor::read, *};

    fn named(text: &str) -> String {
        read("name", text, text, name).unwrap()
    }

    #[test]
    fn names_are_read_as_postgrest_reads_them() {
        for (text, name) in [
            ("id", "id"),
            ("with spaces", "with spaces"),
            ("with-dashes", "with-dashes"),
            ("123", "123"),
            ("_", "_"),
            ("$", "$"),
            ("مورد", "مورد"),
            (" no blanks around ", "no blanks around"),
            ("\":\"", ":"),
            ("\" blanks around \"", " blanks around "),
            (r#""a\"b\\c""#, r#"a"b\c"#),
        ] {
            assert_eq!(named(text), name, "{text}");
        }
    }

    #[test]
    fn aliases_that_postgres_would_change_are_refused() {
        let refusal = |text: &str| read("alias", text, text, alias).unwrap_err().details.unwrap();
        assert_eq!(refusal("\"\":"), "An alias must not be empty.");
        assert_eq!(refusal(" :"), "An alias must not be empty.");
        assert_eq!(refusal("\"a\0\":"), "An alias must not contain NUL.");
        assert_eq!(refusal(&format!("{}:", "x".repeat(64))), "The alias has 64 bytes; at most 63 are allowed.");
        assert_eq!(read("alias", "", &format!("{}:", "x".repeat(63)), alias).unwrap().len(), 63);
    }
}
