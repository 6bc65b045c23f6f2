//! Names of tables, columns and indexes.

use proc_macro2::Span;

/// Postgres cuts longer names off silently, which would let two of them become one.
const LONGEST: usize = 63;

/// Columns that every table of Postgres has.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Parameters of a query over HTTP, where each other parameter filters by the column of its name.
const QUERY_WORDS: [&str; 8] = ["select", "order", "limit", "offset", "and", "or", "not", "columns"];

/// A name that SQL takes without quotes.
pub(crate) fn check(name: &str, span: Span, what: &str) -> syn::Result<()> {
    let problem = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > LONGEST {
        format!("has {} bytes, and at most {LONGEST} are allowed", name.len())
    } else if !is_plain(name) {
        "must consist of a-z, 0-9 and _ and not start with a digit".to_owned()
    } else {
        return Ok(());
    };
    Err(syn::Error::new(span, format!("the {what} name `{name}` {problem}")))
}

/// A name that a column of a table may have.
pub(crate) fn check_column(name: &str, span: Span) -> syn::Result<()> {
    check(name, span, "column")?;
    let owner = if SYSTEM_COLUMNS.contains(&name) {
        "Postgres"
    } else if QUERY_WORDS.contains(&name) {
        "the query language of the HTTP API"
    } else {
        return Ok(());
    };
    let message = format!("{owner} uses the name `{name}`: give the column another with #[column(\"…\")]");
    Err(syn::Error::new(span, message))
}

fn is_plain(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
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
    fn plain_names_pass() {
        for name in ["a", "_", "carrier_daily", "t1", &"x".repeat(63)] {
            assert_eq!(table(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_sql_would_have_to_quote_or_cut_do_not() {
        for name in ["Accounts", "1st", "a-b", "a b", "ü", "a\"b"] {
            let expected = format!("the table name `{name}` must consist of a-z, 0-9 and _ and not start with a digit");
            assert_eq!(table(name), Some(expected));
        }
        assert_eq!(table(""), Some("the table name `` is empty".to_owned()));
        assert!(table(&"x".repeat(64)).is_some_and(|message| message.contains("64 bytes")));
    }

    #[test]
    fn names_that_postgres_or_queries_use_are_no_columns() {
        assert!(column("xmin").is_some_and(|message| message.contains("Postgres")));
        assert!(column("order").is_some_and(|message| message.contains("query language")));
        assert_eq!(column("orders"), None);
        assert_eq!(table("order"), None);
    }
}
