//! No text with embeddings makes the parser panic, and none becomes SQL that Postgres cannot parse.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use super::{
    company::{company, parsed},
    database::{Database, SCHEMA, list},
};
use crate::read_model::query::{Rendering, Total};

/// Texts that are likely to contain embeddings and the parameters that belong to them.
fn fragments() -> impl Strategy<Value = String> {
    let pieces = vec![
        "id",
        "name",
        "client_id",
        "lead_id",
        "clients",
        "people",
        "projects",
        "tasks",
        "budgets",
        "hours",
        "number",
        "amount",
        "done",
        "doc",
        "count",
        "select=",
        "&order=",
        "&limit=1",
        "&offset=1",
        "(",
        ")",
        "(",
        ")",
        ",",
        ",",
        ".",
        "...",
        "!",
        "!inner",
        "!lead_id",
        ":",
        "::",
        "::text",
        "::int",
        "::timestamptz",
        "::date[]",
        "::json",
        "::bytea",
        ".sum()",
        ".avg()",
        ".min()",
        ".max()",
        ".count()",
        "count()",
        "->",
        "->>a",
        "->0",
        "*",
        "\"",
        "%00",
        "'",
        "\\",
        ";",
        "--",
        "=",
        "&",
        "is.null",
        "not.is.null",
        "eq.1",
        "and",
        "or",
        "not",
        "$1",
        "\"\"",
        "\"a b\"",
        "desc",
    ];
    let shaped = vec![
        "select=*,clients(*)",
        "select=id,clients(name),tasks(name,hours)",
        "select=...clients(name),...tasks(*)",
        "select=client_id,id.sum(),count()",
        "select=count(),clients(name)",
        "select=name,doc->a,count()",
        "select=...clients(doc->>\"it's\",name.max()),tasks(count())",
        "select=lead:lead_id(name,boss:boss_id(name)),tasks(people(*))",
        "select=id,budgets(amount::text.max())",
        ",tasks(project_id,count(),done.max())",
        ",...people!lead_id(...boss_id(name,count()))",
        "&clients=not.is.null",
        "&tasks.or=(number.eq.1,hours.is.null)",
        "&clients.name=like.a*",
        "&order=clients(name).desc",
        "&order=client_id",
        "&tasks.order=hours.desc",
        "&tasks.limit=0",
        "&or=(clients.is.null,id.eq.1)",
    ];
    // A query may have one `select`.
    let (first, further): (Vec<_>, Vec<_>) = shaped.into_iter().partition(|text| text.starts_with("select="));
    let piece = prop_oneof![1 => select(pieces), 2 => select(further)];
    (select(first), prop::collection::vec(piece, 0..5))
        .prop_map(|(first, further)| first.to_owned() + &further.concat())
}

#[test]
fn any_text_is_parsed_or_refused() {
    let tables = company();
    TestRunner::new(Config { cases: 10_000, ..Config::default() })
        .run(&fragments(), |text| {
            if let Err(error) = parsed(&tables, "projects", &text) {
                prop_assert!(!error.message.is_empty(), "{:?}", error);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn parsed_queries_are_valid_sql() {
    let (database, tables) = (Database::create(), company());
    for table in &tables {
        database.create_table(table);
    }
    let schema = SCHEMA.replace('"', "\"\"");
    for rows in [
        "clients VALUES (1, 'a', '{\"a\": 1}')",
        "people VALUES (1, 'b', 1)",
        "projects VALUES (1, 'c', 1, 1, 1), (2, NULL, NULL, NULL, NULL)",
        "tasks VALUES (1, 1, 'd', 5, '2024-02-29 12:00:00+00')",
        "budgets VALUES (1, 1.5)",
    ] {
        database.execute(format!("INSERT INTO \"{schema}\".{rows}"));
    }
    let (answered, embedded) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let names = select(vec!["projects", "clients", "people", "tasks"]);
    TestRunner::new(Config { cases: 6_000, ..Config::default() })
        .run(&(names, fragments(), any::<bool>()), |(table, text, bounded)| {
            let Ok(query) = parsed(&tables, table, &text) else { return Ok(()) };
            let max_row_bytes = bounded.then_some(10_000);
            let rendering =
                Rendering { max_rows: Some(10), max_row_bytes, total: Total::Exact, next_values: bounded, ..list() };
            match database.answer_to(&query, &rendering) {
                Ok(_) => {
                    answered.set(answered.get() + 1);
                    embedded.set(embedded.get() + usize::from(text.contains('(')));
                }
                // Errors of the client: invalid values, operators, functions and casts that a type does not have. Any other error is a
                // bug, and so is a name that only the statement has.
                Err(error) => {
                    let by_client = error.code.as_str().starts_with("22")
                        || ["42883", "42804", "42846"].contains(&error.code.as_str());
                    prop_assert!(by_client, "{}?{}: {:?}", table, text, error);
                    let shown = format!("{error:?}");
                    let internal = ["embedding 1", "joined", "rows 1", "value 0", "junction"];
                    prop_assert!(internal.iter().all(|name| !shown.contains(name)), "{}?{}: {}", table, text, shown);
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(answered.get() > 250 && embedded.get() > 250, "only {} and {}", answered.get(), embedded.get());
}
