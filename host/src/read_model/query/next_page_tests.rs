use super::{super::tests::table, *};
use crate::read_model::query::Query;

/// The cursor after a row of a query, whose values are these.
fn cursor(query: &str, values: &str) -> Option<String> {
    Query::parse(query, &table()).unwrap().next_cursor(values).unwrap()
}

fn last_values(query: &str) -> Result<Vec<Option<String>>, QueryError> {
    let table = table();
    Ok(Query::parse(query, &table)?.paging.after.map(|last| last.values).unwrap_or_default())
}

fn complaint(query: &str) -> (String, Option<String>) {
    let error = last_values(query).unwrap_err();
    assert_eq!(error.code.as_str(), "PGRST100", "{query}");
    (error.message, error.details)
}

#[test]
fn a_cursor_brings_the_values_of_the_last_row() {
    let first = "order=user.desc,day&delay=gt.5&or=(id.eq.1,id.eq.2)";
    let next = cursor(first, r#"["a\"é", null, "7"]"#).unwrap();
    assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{next}");
    let values = Ok(vec![Some("a\"é".to_owned()), None, Some("7".to_owned())]);
    assert_eq!(last_values(&format!("{first}&cursor={next}")), values);
    // Columns, the size of pages and the order of the filters are free.
    let same = format!("cursor={next}&or=(id.eq.1,id.eq.2)&delay=gt.5&order=user.desc,day&select=id&limit=7");
    assert_eq!(last_values(&same), values);
    assert_eq!(last_values(&format!("{first}&cursor=")), Ok(vec![]));
}

#[test]
fn a_cursor_is_of_one_query() {
    let next = cursor("order=day&delay=gt.5", r#"["2024-01-01", "7"]"#).unwrap();
    for query in [
        "order=day",
        "order=day&delay=gt.6",
        "order=day&delay=gt.5&delay=lt.9",
        "order=day.desc&delay=gt.5",
        "delay=gt.5",
        "order=day&or=(delay.gt.5)",
        "order=day&user=gt.5",
    ] {
        assert_eq!(complaint(&format!("{query}&cursor={next}")).0, "the cursor is of another query", "{query}");
    }
    // The key had another column then.
    let longer = cursor("order=day", r#"["2024-01-01", "7", "8"]"#).unwrap();
    assert_eq!(complaint(&format!("order=day&cursor={longer}")).0, "the cursor is of another query");
}

#[test]
fn what_is_not_a_cursor_is_refused() {
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let hash = hash(&table(), &Parameters::default());
    let held = |version: u8, value: &str| encoded(&format!(r#"{{"v":{version},"q":"{hash}","k":[{value}]}}"#));
    assert_eq!(last_values(&format!("cursor={}", held(1, "\"7\""))), Ok(vec![Some("7".to_owned())]));
    for cursor in [
        "x".to_owned(),
        "%00".to_owned(),
        "é".to_owned(),
        "=".to_owned(),
        encoded("{}"),
        encoded("[1]"),
        held(2, "\"7\""),
        held(1, "7"),
        held(1, r#""a\u0000""#),
        held(1, "\"7\",").to_owned(),
        "x".repeat(MAX_CURSOR_BYTES + 1),
    ] {
        assert_eq!(complaint(&format!("cursor={cursor}")).0, "the parameter \"cursor\" is not a cursor", "{cursor}");
    }
}

#[test]
fn a_cursor_is_refused_where_there_is_none() {
    for (query, details) in [
        ("cursor=&offset=5", "Pages by cursors have no offset."),
        ("cursor=&select=count()", "Pages of groups have no cursors."),
        ("cursor=&select=user,id.sum()", "Pages of groups have no cursors."),
    ] {
        let (message, found) = complaint(query);
        assert_eq!((message.as_str(), found.as_deref()), ("the query has no cursor", Some(details)), "{query}");
    }
    assert_eq!(complaint("cursor=&cursor=").0, "the parameter \"cursor\" is given twice");
}

#[test]
fn a_cursor_is_not_too_long() {
    let values = |bytes: usize| format!(r#"["{}", "7"]"#, "x".repeat(bytes));
    let longest = cursor("order=user", &values(2_900)).unwrap();
    assert!(longest.len() <= MAX_CURSOR_BYTES);
    assert_eq!(cursor("order=user", &values(4_000)), None);
    // Who pages by cursors must not take the page for the last one.
    let (table, too_long) = (table(), values(4_000));
    let error = Query::parse("order=user&cursor=", &table).unwrap().next_cursor(&too_long).unwrap_err();
    assert_eq!(error.message, "the query has no cursor");
    assert!(error.details.unwrap().contains("at most 4096 are allowed"));
}
