//! Pages by cursors hold every row once, whatever is written between them.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::Value as Json;
use sqlx::Row as _;

use super::database::{Database, list, qualified};
use crate::read_model::{
    ColumnType, Table,
    query::{Query, QueryError, Rendering, Total},
    samples::{column, declaration, nullable},
};

/// A table with a key of two columns and few different values in the others.
fn crowded() -> Table {
    let columns = [
        nullable("txt", ColumnType::Text),
        column("a", ColumnType::Text),
        column("b", ColumnType::I64),
        nullable("flag", ColumnType::Bool),
        nullable("ratio", ColumnType::F64),
        nullable("at", ColumnType::Timestamp),
        nullable("doc", ColumnType::Json),
        nullable("tags", ColumnType::TextArray),
        nullable("raw", ColumnType::Bytes),
        nullable("fare", ColumnType::Decimal),
        nullable("day", ColumnType::Date),
        nullable("clock", ColumnType::Time),
        nullable("nick", ColumnType::CiText),
    ];
    Table::check(&declaration("crowded", columns, &["a", "b"])).unwrap()
}

/// A row as a tuple of SQL, by its number.
fn tuple(number: usize, pick: u8) -> String {
    let one_of = |values: &[&str], salt: usize| {
        values[(usize::from(pick) / (salt + 1) + number * salt) % values.len()].to_owned()
    };
    [
        one_of(&["NULL", "''", "'x'", "'é\"'"], 1),
        one_of(&["'k'", "'K'", "'l'"], 2),
        number.to_string(),
        one_of(&["NULL", "true", "false"], 3),
        one_of(&["NULL", "'NaN'", "-0.5", "'Infinity'", "0.1"], 4),
        one_of(&["NULL", "'2024-02-29 12:00:00.25+00'", "'1969-12-31 23:59:59.999999+00'"], 5),
        one_of(&["NULL", "'null'", "'{\"n\":1}'", "'{\"n\":\"x\"}'", "'{\"n\":null}'"], 6),
        one_of(&["NULL", "'{}'", "'{\"a,b\",\"NULL\"}'"], 7),
        one_of(&["NULL", "'\\x00ff'", "''"], 8),
        one_of(&["NULL", "1.50", "-0.001"], 9),
        one_of(&["NULL", "'2024-02-29'", "'0001-01-01'"], 10),
        one_of(&["NULL", "'10:17:00'", "'23:59:59.999999'"], 11),
        one_of(&["NULL", "'k'", "'K'", "'É'", "'é'"], 12),
    ]
    .join(", ")
}

/// The numbers of the rows of a page, and the cursor of the next.
fn page(
    database: &Database,
    table: &Table,
    url: &str,
    rendering: &Rendering<'_>,
) -> Result<(Vec<i64>, Option<String>), QueryError> {
    let query = Query::parse(url, table)?;
    let rendering = Rendering { next_values: query.can_continue(), ..*rendering };
    let rows = database.fetch(&query.to_sql(&rendering))?;
    let shown = rows.iter().filter_map(|row| row.get::<Option<String>, _>("shown"));
    let numbers = shown.map(|shown| serde_json::from_str::<Json>(&shown).unwrap()["b"].as_i64().unwrap()).collect();
    let values: Vec<_> = rows.iter().map(|row| row.get::<Option<String>, _>("next_values")).collect();
    let (last, before) = values.split_last().expect("a row at least");
    assert!(before.iter().all(Option::is_none), "{url}: only the last row has its values");
    Ok((numbers, last.as_deref().map(|values| query.next_cursor(values)).transpose()?.flatten()))
}

/// It costs a fifth of such a query to be ready for a next page.
#[test]
fn the_row_of_a_key_has_no_next_page() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    let name = qualified(&table);
    for number in 0..3 {
        database.execute(format!("INSERT INTO {name} VALUES ({})", tuple(number, 0)));
    }
    for (url, has_next) in [
        ("a=eq.k&b=eq.0&limit=1", false),
        ("select=a,a,b&b=eq.0&order=txt&a=eq.k&limit=1", false),
        ("a=eq.k&limit=1", true),
        ("a=eq.k&b=neq.1&limit=1", true),
        ("a=eq.k&b=not.eq.1&limit=1", true),
        ("a=eq.k&b=in.(0,1)&limit=1", true),
        ("or=(a.eq.k,b.eq.1)&limit=1", true),
    ] {
        let (rows, next) = page(&database, &table, url, &list()).unwrap();
        assert_eq!((rows.len(), next.is_some()), (1, has_next), "{url}");
        let sql = Query::parse(url, &table).unwrap().to_sql(&Rendering { next_values: true, ..list() });
        assert_eq!(sql.text.contains("row_number"), has_next, "{url}");
    }
}

#[test]
fn pages_by_cursors_hold_every_row_once() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    let names = vec![
        "txt", "a", "b", "flag", "ratio", "at", "doc->n", "doc->>n", "doc", "tags", "raw", "fare", "day", "clock",
        "nick", "tags->0",
    ];
    let suffix = (select(vec!["", ".asc", ".desc"]), select(vec!["", ".nullsfirst", ".nullslast"]));
    let term = (select(names), suffix).prop_map(|(name, (direction, nulls))| format!("{name}{direction}{nulls}"));
    let strategy = (
        prop::collection::vec(any::<u8>(), 0..50),
        prop::collection::vec(term, 0..4),
        1..12_u64,
        any::<bool>(),
        select(vec!["", "&flag=not.is.true", "&or=(txt.eq.x,txt.is.null)"]),
    );
    TestRunner::new(Config::default())
        .run(&strategy, |(picks, order, size, by_host, filter)| {
            let name = qualified(&table);
            database.execute(format!("DELETE FROM {name}"));
            for (number, pick) in picks.iter().enumerate() {
                database.execute(format!("INSERT INTO {name} VALUES ({})", tuple(number, *pick)));
            }
            let order = if order.is_empty() { String::new() } else { format!("&order={}", order.join(",")) };
            let whole = format!("select=b{order}{filter}");
            // The order of rows without a limit is completed by the key only if there is an order.
            let (expected, _) = page(&database, &table, &format!("{whole}&limit=1000"), &list()).unwrap();
            let (mut found, mut cursor) = (Vec::new(), String::new());
            let mut pages = 0;
            loop {
                let limit = if by_host { String::new() } else { format!("&limit={size}") };
                let max_rows = by_host.then_some(size);
                let url = format!("{whole}{limit}&cursor={cursor}");
                let answered = page(&database, &table, &url, &Rendering { max_rows, ..list() });
                let (rows, next) = answered.map_err(|error| TestCaseError::fail(format!("{url}: {error:?}")))?;
                prop_assert_eq!(rows.len() as u64 == size, next.is_some(), "{}", url);
                // Rows that come and go between two pages are none of those that are looked for. At some time no more come, or the last page would
                // never be reached.
                if pages < 60 {
                    let guest = 1_000 + pages;
                    database.execute(format!(
                        "INSERT INTO {name} VALUES ({})",
                        tuple(guest, u8::try_from(pages % 251).unwrap())
                    ));
                    if pages % 2 == 0 {
                        database.execute(format!("DELETE FROM {name} WHERE b = {}", guest.saturating_sub(1)));
                    }
                }
                database.execute(format!("UPDATE {name} SET b = b WHERE b % 3 = {}", pages % 3));
                found.extend(rows.into_iter().filter(|number| *number < 1_000));
                pages += 1;
                prop_assert!(pages < 200, "{} does not end", url);
                match next {
                    Some(next) => cursor = next,
                    None => break,
                }
            }
            prop_assert_eq!(found, expected, "{} by {}", whole, size);
            Ok(())
        })
        .unwrap();
}

#[test]
fn directions_may_differ() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    for number in 0..9 {
        let a = ["k", "l"][number % 2];
        database.execute(format!("INSERT INTO {} (a, b) VALUES ('{a}', {number})", qualified(&table)));
    }
    for (order, expected) in [("a.desc,b", [1, 3, 5, 7, 0, 2, 4, 6, 8]), ("a,b.desc", [8, 6, 4, 2, 0, 7, 5, 3, 1])] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("select=b&order={order}&limit=2&cursor={cursor}");
            let (rows, next) = page(&database, &table, &url, &list()).unwrap();
            found.extend(rows);
            match next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_eq!(found, expected, "{order}");
    }
}

#[test]
fn a_row_that_is_gone_is_gone_on_from() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    let name = qualified(&table);
    for number in 0..9 {
        database.execute(format!("INSERT INTO {name} (a, b) VALUES ('k', {number})"));
    }
    let (rows, cursor) = page(&database, &table, "select=b&order=b.desc&limit=3", &list()).unwrap();
    assert_eq!(rows, [8, 7, 6]);
    let next = format!("select=b&order=b.desc&limit=3&cursor={}", cursor.unwrap());
    database.execute(format!("DELETE FROM {name} WHERE b IN (6, 5)"));
    let (rows, cursor) = page(&database, &table, &next, &list()).unwrap();
    assert_eq!((rows, cursor.is_some()), (vec![4, 3, 2], true));
    // The total is that of all pages.
    let total = Rendering { total: Total::Exact, ..list() };
    assert_eq!(database.answer(&table, &next, &total).unwrap().total_rows, Some(7));
    // A column of the result that is called as the row is within the statement.
    let (rows, _) = page(&database, &table, "select=listed:a,b,page:b,next_values:a&limit=2", &list()).unwrap();
    assert_eq!(rows, [0, 1]);
}

#[test]
fn a_cursor_with_other_values_is_the_clients_error() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    // As a build with other types of columns would leave them: of the right query, with values that do not fit.
    let query = Query::parse("order=at", &table).unwrap();
    let cursor = query.next_cursor(r#"["no time", "k", "7"]"#).unwrap().unwrap();
    let error = page(&database, &table, &format!("order=at&cursor={cursor}"), &list()).unwrap_err();
    assert_eq!(error.code.as_str(), "22007");
}

#[test]
fn a_cursor_uses_the_index_of_the_order() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    let name = qualified(&table);
    database.execute(format!(
        "INSERT INTO {name} (a, b, txt) SELECT 'k', n, n::text FROM generate_series(1, 5000) AS n; ANALYZE {name}"
    ));
    let (_, cursor) = page(&database, &table, "select=b&limit=3", &list()).unwrap();
    let query = Query::parse(&format!("select=b&limit=3&cursor={}", cursor.unwrap()), &table).unwrap().to_sql(&list());
    let text = format!("EXPLAIN {}", query.text);
    let plan = database.fetch(&crate::read_model::query::Sql { text, ..query }).unwrap();
    let plan: Vec<String> = plan.iter().map(|line| line.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("Index Cond: (ROW(")), "{plan:#?}");
}
