//! Random queries with embeddings on random rows have the same result in Postgres and in nested loops.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{
    company::{company, parsed},
    database::{Database, list},
    embedding_model::Data,
    embedding_strategies::{Choices, asked, rows, url},
};
use crate::read_model::query::Rendering;

#[test]
fn postgres_embeds_what_the_query_means() {
    let (database, tables) = (Database::create(), company());
    for table in &tables {
        database.create_table(table);
    }
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    let strategy = (bytes.clone(), prop::collection::vec((bytes, prop::option::of(1..4_usize), any::<bool>()), 6));
    TestRunner::new(Config { cases: 256, ..Config::default() })
        .run(&strategy, |(rows_of, queries)| {
            let mut choices = Choices(rows_of.iter());
            let rows: Vec<_> = tables.iter().map(|table| rows(&mut choices, table)).collect();
            for (table, rows) in tables.iter().zip(&rows) {
                database.fill(table, rows);
            }
            for (query, max_rows, bounded) in queries {
                let asked = asked(&mut Choices(query.iter()), &tables);
                let url = url(&tables, &asked);
                let rendering = Rendering {
                    exact_count: true,
                    max_rows: max_rows.map(|max_rows| u64::try_from(max_rows).unwrap()),
                    max_row_bytes: bounded.then_some(1 << 20),
                    next_values: bounded,
                    ..list()
                };
                let query = parsed(&tables, asked.table, &url)
                    .map_err(|error| TestCaseError::fail(format!("{}?{url}: {error}", asked.table)))?;
                let answer = database.answer_to(&query, &rendering);
                let answer = answer.map_err(|error| TestCaseError::fail(format!("{}?{url}: {error}", asked.table)))?;
                let mut body: Vec<serde_json::Value> = serde_json::from_str(&answer.body).unwrap();
                let (mut expected, total) = Data { tables: &tables, rows: &rows, max_rows }.answer(&asked);
                // All groups, in any order.
                let cut = max_rows.is_some() || asked.limit.is_some() || asked.offset > 0;
                if asked.is_grouped() && asked.order.is_empty() && !cut {
                    body.sort_by_key(ToString::to_string);
                    expected.sort_by_key(ToString::to_string);
                }
                prop_assert_eq!(body, expected, "{}?{}", asked.table, url);
                prop_assert_eq!(answer.total_rows, Some(i64::try_from(total).unwrap()), "{}?{}", asked.table, url);
            }
            Ok(())
        })
        .unwrap();
}
