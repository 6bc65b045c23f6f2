//! Random queries on random rows have the same result in Postgres and in a naive evaluation.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{
    database::{Database, list, qualified},
    strategies::{query, rows},
    table,
};
use crate::read_model::{
    ColumnType, Row, Table, Value,
    query::{Rendering, Total},
    samples::{column, declaration, nullable},
};

#[test]
fn postgres_answers_what_the_query_means() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    let strategy = (rows(&table), prop::collection::vec((query(&table), prop::option::of(0..6_usize)), 4));
    TestRunner::new(Config::default())
        .run(&strategy, |(rows, queries)| {
            database.fill(&table, &rows);
            for (query, max_rows) in queries {
                let url = query.url(&table);
                let max_rows_sent = max_rows.map(|max_rows| u64::try_from(max_rows).unwrap());
                let rendering = Rendering { total: Total::Exact, max_rows: max_rows_sent, ..list() };
                let answer = database.answer(&table, &url, &rendering);
                let answer = answer.map_err(|error| TestCaseError::fail(format!("{url}: {error}")))?;

                let matching = query.matching(&rows);
                prop_assert_eq!(answer.total_rows, Some(i64::try_from(matching.len()).unwrap()), "{}", url);
                let limit = query.limit.into_iter().chain(max_rows).min();
                let offset = query.offset.unwrap_or(0);
                let page: Vec<_> = matching.iter().skip(offset).take(limit.unwrap_or(usize::MAX)).copied().collect();
                prop_assert_eq!(answer.page_rows, i64::try_from(page.len()).unwrap(), "{}", url);
                let body: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
                prop_assert_eq!(body.len(), page.len(), "{}", url);

                let expected: Vec<_> = page.iter().map(|row| query.json(&table, row)).collect();
                if limit.is_some() || offset > 0 || !query.order.is_empty() {
                    prop_assert_eq!(body, expected, "{}", url);
                    continue;
                }
                // All rows, in any order.
                let mut left = expected;
                for found in body {
                    match left.iter().position(|row| *row == found) {
                        Some(taken) => _ = left.swap_remove(taken),
                        None => prop_assert!(false, "{}: {} is not expected", url, found),
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}

/// A table with a key of two columns and few different values in the others.
fn crowded() -> Table {
    let columns = [
        nullable("txt", ColumnType::Text),
        column("a", ColumnType::Text),
        column("b", ColumnType::I64),
        nullable("flag", ColumnType::Bool),
    ];
    Table::check(&declaration("crowded", columns, &["a", "b"])).unwrap()
}

#[test]
fn pages_of_any_size_by_any_order_hold_every_row_once() {
    let (database, table) = (Database::create(), crowded());
    database.create_table(&table);
    let text = |none: u32| prop_oneof![none => Just(Value::Null), 3 => prop::sample::select(vec!["", "x", "y"]).prop_map(|text| Value::Text(text.into()))];
    let row = (text(1), text(0), prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool)]);
    let rows = prop::collection::vec(row, 0..60).prop_map(|rows| {
        let numbered = rows.into_iter().zip(0_i64..);
        numbered
            .map(|((text, a, flag), number)| vec![text, a, Value::I64(number / 2 % 7 * 100 + number), flag])
            .collect()
    });
    let suffix =
        (prop::sample::select(vec!["", ".asc", ".desc"]), prop::sample::select(vec!["", ".nullsfirst", ".nullslast"]));
    let term = (prop::sample::select(vec!["txt", "a", "b", "flag"]), suffix)
        .prop_map(|(column, (direction, nulls))| format!("{column}{direction}{nulls}"));
    let strategy = (rows, prop::collection::vec(term, 0..4), 1..20_usize, any::<bool>());
    TestRunner::new(Config::default())
        .run(&strategy, |(rows, order, size, by_host): (Vec<Row>, _, _, _)| {
            database.fill(&table, &rows);
            let order = if order.is_empty() { String::new() } else { format!("&order={}", order.join(",")) };
            let mut found = Vec::new();
            for offset in (0..=rows.len()).step_by(size) {
                // The host's own limit cuts as the client's does.
                let limit = if by_host { String::new() } else { format!("&limit={size}") };
                let max_rows = by_host.then(|| u64::try_from(size).unwrap());
                let url = format!("select=b&offset={offset}{limit}{order}");
                let answer = database.answer(&table, &url, &Rendering { max_rows, ..list() }).unwrap();
                let page: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
                found.extend(page.iter().map(|row| row["b"].as_i64().unwrap()));
                // An update moves a row after the others in Postgres' heap.
                database.execute(format!(
                    "UPDATE {} SET \"flag\" = \"flag\" WHERE \"b\" % 3 = {}",
                    qualified(&table),
                    offset % 3
                ));
            }
            let key = |row: &Row| match row[2] {
                Value::I64(b) => b,
                _ => panic!("b is a number"),
            };
            let mut expected: Vec<_> = rows.iter().map(key).collect();
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected, "{} by {}", order, size);
            Ok(())
        })
        .unwrap();
}
