//! Random queries on random rows mean the same to Postgres and to a naive evaluation.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{
    database::{Database, list},
    strategies::{query, rows},
    table,
};
use crate::read_model::{Row, query::Rendering};

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
                let rendering = Rendering { exact_count: true, max_rows: max_rows_sent, ..list() };
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

                if query.order.is_empty() && (limit.is_some() || offset > 0) {
                    let expected: Vec<_> = page.iter().map(|row| query.json(&table, row)).collect();
                    prop_assert_eq!(body, expected, "{}", url);
                    continue;
                }
                // Rows that the query's order holds for equal may stand in any order, and which of them are on the
                // page is open: each must be a row that could stand there, and none may stand there twice.
                let mut left: Vec<_> = matching.clone();
                for (found, place) in body.into_iter().zip(page) {
                    let fits = |row: &&Row| query.order(row, place).is_eq() && query.json(&table, row) == found;
                    match left.iter().position(fits) {
                        Some(taken) => _ = left.remove(taken),
                        None => prop_assert!(false, "{}: {} cannot stand here", url, found),
                    }
                }
            }
            Ok(())
        })
        .unwrap();
}
