//! The errors of a query as a whole.

use super::table;
use crate::read_model::query::{ErrorCode, MAX_CONDITIONS, Query, QueryError};

fn complaint(query: &str) -> QueryError {
    Query::parse(query, &table()).unwrap_err()
}

#[test]
fn missing_columns_have_the_error_of_postgres() {
    for query in [
        "select=delays",
        "select=d:delays",
        "delays=eq.1",
        "delays=not.is.null",
        "or=(delays.eq.1)",
        "order=delays.desc",
    ] {
        assert_eq!(
            complaint(query),
            QueryError {
                code: ErrorCode::Postgres("42703".into()),
                message: "column flights.delays does not exist".into(),
                details: None,
                hint: Some("Perhaps you meant to reference the column \"flights.delay\".".into()),
            },
            "{query}"
        );
    }
}

#[test]
fn names_that_are_special_to_postgres_are_missing_columns() {
    for name in ["row_to_json", "xmin", "ctid", "flights", "and", "not", "on_conflict", "\"\"", "\"a\0\""] {
        let error = complaint(&format!("select={name}"));
        let name = name.trim_matches('"');
        assert_eq!((error.code.as_str(), error.message), ("42703", format!("column flights.{name} does not exist")));
    }
}

#[test]
fn a_very_long_name_has_no_suggestion() {
    let name = "x".repeat(30_000);
    let error = complaint(&format!("select={name}"));
    assert_eq!((error.message, error.hint), (format!("column flights.{name} does not exist"), None));
}

#[test]
fn the_parts_of_a_query_are_all_checked() {
    for (query, message) in [
        ("id=eq.1&delay=eq1", "\"failed to parse filter (eq1)\" (line 1, column 3)"),
        ("and=(id.eq.1)&or=(", "\"failed to parse logic tree (()\" (line 1, column 4)"),
        ("select=id&order=id.up", "\"failed to parse order (id.up)\" (line 1, column 4)"),
        ("select=id id;&id=eq.1", "\"failed to parse select parameter (id id;)\" (line 1, column 6)"),
        ("a;b=eq.1", "\"failed to parse tree path (a;b)\" (line 1, column 2)"),
    ] {
        let error = complaint(query);
        assert_eq!((error.code.as_str(), error.message.as_str()), ("PGRST100", message));
    }
    assert_eq!(complaint("limit=-1").code.as_str(), "PGRST103");
    assert_eq!(complaint("clients.id=eq.1").code.as_str(), "PGRST108");
}

#[test]
fn the_number_of_conditions_is_limited() {
    let filters = |count: usize| vec!["id=eq.1"; count].join("&");
    let tree = |count: usize| format!("or=({})", vec!["id.eq.1"; count].join(","));
    let half = MAX_CONDITIONS / 2;
    let table = table();
    assert!(Query::parse(&filters(MAX_CONDITIONS), &table).is_ok());
    assert!(Query::parse(&format!("{}&{}", filters(half), tree(half)), &table).is_ok());
    for query in
        [filters(MAX_CONDITIONS + 1), tree(MAX_CONDITIONS + 1), format!("{}&{}", filters(half + 1), tree(half))]
    {
        let error = complaint(&query);
        assert_eq!(error.code.as_str(), "PGRST100");
        assert_eq!(error.message, "the query has too many conditions");
        assert_eq!(error.details.as_deref(), Some("At most 500 are allowed."));
    }
}
