//! The fields that filters, orders and selections name: columns, and paths into their JSON.

use super::{
    cursor::{Cursor, Parsed, read},
    error::QueryError,
    json_path::{JsonPath, Step, json_path},
    name::{column, name},
};
use crate::read_model::{Column, ColumnType, Table};

/// A column, and the path into its JSON. Without steps it is the column itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field<'t> {
    pub(super) column: &'t Column,
    pub(super) path: JsonPath,
}

impl<'t> Field<'t> {
    /// The field of a table that a query names.
    ///
    /// # Errors
    /// The table has no such column.
    pub(super) fn named(table: &'t Table, name: FieldName) -> Result<Self, QueryError> {
        Ok(Self { column: column(table, &name.column)?, path: name.path })
    }

    /// The column itself.
    pub(super) fn of(column: &'t Column) -> Self {
        Self { column, path: JsonPath::default() }
    }

    /// The type of what the path leads to: that of the column without a path, else text after `->>` and json after `->`.
    pub(super) fn column_type(&self) -> ColumnType {
        match self.path.steps.last() {
            None => self.column.column_type,
            Some(Step { as_text: true, .. }) => ColumnType::Text,
            Some(Step { as_text: false, .. }) => ColumnType::Json,
        }
    }

    /// Whether it may be null in some row.
    pub(super) fn nullable(&self) -> bool {
        self.column.nullable || !self.path.is_empty()
    }
}

/// What a query names, before it is looked up in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldName {
    pub(super) column: String,
    pub(super) path: JsonPath,
}

/// Reads the name of a column and a path into its JSON.
pub(super) fn field(cursor: &mut Cursor<'_>) -> Parsed<FieldName> {
    cursor.blanks();
    let column = name(cursor)?;
    cursor.blanks();
    let path = json_path(cursor)?;
    cursor.blanks();
    Ok(FieldName { column, path })
}

/// The field in a parameter's key, and the names of the embedded resources that lead to it.
pub(super) fn key(key: &str) -> Result<(Vec<String>, FieldName), QueryError> {
    read("tree path", key, key, |cursor| {
        let (mut embedded, mut last) = (Vec::new(), field(cursor)?);
        while last.path.is_empty() && cursor.delimiter() {
            embedded.push(std::mem::replace(&mut last, field(cursor)?).column);
        }
        Ok((embedded, last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> (String, String) {
        let error = key(text).unwrap_err();
        (error.message, error.details.unwrap_or_default())
    }

    #[test]
    fn keys_that_are_not_names_are_refused() {
        for (text, message, details) in [
            (
                "",
                "\"failed to parse tree path ()\" (line 1, column 1)",
                "unexpected end of input expecting field name (* or [a..z0..9_$])",
            ),
            (
                ":",
                "\"failed to parse tree path (:)\" (line 1, column 1)",
                "unexpected \":\" expecting field name (* or [a..z0..9_$])",
            ),
            (
                "a!",
                "\"failed to parse tree path (a!)\" (line 1, column 2)",
                "unexpected '!' expecting letter, digit, \"-\", \"->>\", \"->\", delimiter (.) or end of input",
            ),
            (
                "\"a",
                "\"failed to parse tree path (\"a)\" (line 1, column 3)",
                "unexpected end of input expecting \"\\\"\"",
            ),
            (
                "\"a\\",
                "\"failed to parse tree path (\"a\\)\" (line 1, column 4)",
                "unexpected end of input expecting any character",
            ),
            (
                "a-",
                "\"failed to parse tree path (a-)\" (line 1, column 3)",
                "unexpected end of input expecting letter or digit",
            ),
        ] {
            assert_eq!(complaint(text), (message.to_owned(), details.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_key_is_a_field_or_leads_to_an_embedded_resource() {
        let (path, field) = key("doc->\"a.b\"->>0").unwrap();
        assert_eq!((path.len(), field.column.as_str(), field.path.steps.len()), (0, "doc", 2));
        for (text, path, column, steps) in [
            ("clients.name", &["clients"][..], "name", 0),
            ("clients.\"my orders\".name", &["clients", "my orders"], "name", 0),
            ("clients.doc->>a", &["clients"], "doc", 1),
        ] {
            let (embedded, field) = key(text).unwrap();
            assert_eq!(
                (embedded.as_slice(), field.column.as_str(), field.path.steps.len()),
                (path.iter().map(|&name| name.to_owned()).collect::<Vec<_>>().as_slice(), column, steps),
                "{text}"
            );
        }
        assert_eq!(
            complaint("doc->a.b"),
            (
                "\"failed to parse tree path (doc->a.b)\" (line 1, column 7)".to_owned(),
                "unexpected '.' expecting \"->>\", \"->\" or end of input".to_owned()
            )
        );
    }
}
