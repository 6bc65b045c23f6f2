//! Names of tables, columns and indexes.

use gnomon_values::{
    limits::MAX_NAME_BYTES,
    names::{self, NameError},
};
use proc_macro2::Span;

/// Checks a name that needs no quotes in SQL.
pub(crate) fn check(name: &str, span: Span, what: &str) -> syn::Result<()> {
    let problem = match names::check(name) {
        Ok(()) => return Ok(()),
        Err(NameError::Empty) => "is empty".to_owned(),
        Err(NameError::TooLong { bytes, .. }) => format!("has {bytes} bytes, and at most {MAX_NAME_BYTES} are allowed"),
        Err(NameError::Character { .. }) => "must consist of a-z, 0-9 and _ and not start with a digit".to_owned(),
    };
    Err(syn::Error::new(span, format!("the {what} name `{name}` {problem}")))
}

/// Checks the name of a column.
pub(crate) fn check_column(name: &str, span: Span) -> syn::Result<()> {
    check(name, span, "column")?;
    let Some(owner) = names::owner_of_column_name(name) else { return Ok(()) };
    let message = format!("{owner} uses the name `{name}`: give the column another name with #[column(\"…\")]");
    Err(syn::Error::new(span, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Option<String> {
        check(name, Span::call_site(), "table").err().map(|error| error.to_string())
    }

    fn column(name: &str) -> Option<String> {
        check_column(name, Span::call_site()).err().map(|error| error.to_string())
    }

    #[test]
    fn valid_names_pass() {
        for name in ["a", "_", "carrier_daily", "t1", &"x".repeat(63)] {
            assert_eq!(table(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_sql_would_quote_or_truncate_are_refused() {
        for name in ["Accounts", "1st", "a-b", "a b", "ü", "a\"b"] {
            let expected = format!("the table name `{name}` must consist of a-z, 0-9 and _ and not start with a digit");
            assert_eq!(table(name), Some(expected));
        }
        assert_eq!(table(""), Some("the table name `` is empty".to_owned()));
        assert!(table(&"x".repeat(64)).is_some_and(|message| message.contains("64 bytes")));
    }

    #[test]
    fn names_that_postgres_or_queries_use_are_refused() {
        assert!(column("xmin").is_some_and(|message| message.contains("Postgres")));
        assert!(column("order").is_some_and(|message| message.contains("query language")));
        assert!(column("on_conflict").is_some_and(|message| message.contains("query language")));
        assert_eq!(column("orders"), None);
        assert_eq!(table("order"), None);
    }
}
