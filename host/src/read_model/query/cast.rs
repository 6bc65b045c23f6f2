//! Types that a value can be cast to.

use super::error::QueryError;
use crate::read_model::{ColumnType, value::sql_type};

/// A type of Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SqlType {
    /// Its name in SQL; of an array, that of its elements.
    pub(super) element: &'static str,
    pub(super) array: bool,
}

/// The names by which queries know types, and their names in SQL. Others may run code, or depend on the host's settings.
const TYPES: [(&str, &str); 30] = [
    ("text", "text"),
    ("integer", "integer"),
    ("int", "integer"),
    ("int4", "integer"),
    ("bigint", "bigint"),
    ("int8", "bigint"),
    ("smallint", "smallint"),
    ("int2", "smallint"),
    ("numeric", "numeric"),
    ("decimal", "numeric"),
    ("real", "real"),
    ("float4", "real"),
    ("double precision", "double precision"),
    ("float8", "double precision"),
    ("float", "double precision"),
    ("boolean", "boolean"),
    ("bool", "boolean"),
    ("date", "date"),
    ("time", "time without time zone"),
    ("time without time zone", "time without time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamp without time zone", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp with time zone", "timestamp with time zone"),
    ("uuid", "uuid"),
    ("json", "json"),
    ("jsonb", "jsonb"),
    ("bytea", "bytea"),
    ("varchar", "character varying"),
    ("character varying", "character varying"),
];

impl SqlType {
    /// A type that is not an array.
    pub(super) const fn plain(element: &'static str) -> Self {
        Self { element, array: false }
    }

    /// The type of a column.
    pub(super) fn of(column_type: ColumnType) -> Self {
        let name = sql_type(column_type);
        match name.strip_suffix("[]") {
            Some(element) => Self { element, array: true },
            None => Self::plain(name),
        }
    }

    /// The type of this name. An array is written as `text[]`, or as `_text`, which PostgREST's grammar has.
    pub(super) fn named(name: &str) -> Result<Self, QueryError> {
        let (element, array) = match (name.strip_suffix("[]"), name.strip_prefix('_')) {
            (Some(element), _) | (None, Some(element)) => (element, true),
            (None, None) => (name, false),
        };
        let element = element.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let known = TYPES.into_iter().find(|(known, _)| *known == element);
        known.map(|(_, element)| Self { element, array }).ok_or_else(|| QueryError::undefined_type(name))
    }

    /// Its name in SQL.
    pub(super) fn sql(self) -> String {
        format!("{}{}", self.element, if self.array { "[]" } else { "" })
    }

    /// Whether its values are read by Postgres from words such as `now` as well.
    pub(super) fn is_of_time(self) -> bool {
        self.element.starts_with("time") || self.element == "date"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_their_names() {
        for (name, sql) in [
            ("text", "text"),
            ("INT", "integer"),
            ("double  precision", "double precision"),
            ("timestamptz[]", "timestamp with time zone[]"),
            ("_int8", "bigint[]"),
        ] {
            assert_eq!(SqlType::named(name).map(SqlType::sql).as_deref(), Ok(sql), "{name}");
        }
    }

    #[test]
    fn other_types_do_not_exist() {
        for name in ["regclass", "oid", "text[][]", "__text", "xml", "gnomon.events", "", "[]"] {
            let error = SqlType::named(name).unwrap_err();
            assert_eq!((error.code.as_str(), error.message), ("42704", format!("type \"{name}\" does not exist")));
        }
    }
}
