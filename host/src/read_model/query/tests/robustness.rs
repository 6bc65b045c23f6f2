//! No text makes the parser panic, and none becomes SQL that Postgres cannot parse.

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use super::{
    database::{Database, SCHEMA, list, qualified, statement},
    table,
};
use crate::read_model::{
    Value,
    query::{Query, Rendering},
};

/// Texts that are likely to contain parts of the grammar.
fn fragments() -> impl Strategy<Value = String> {
    let fragments = vec![
        "id",
        "user",
        "page",
        "delay",
        "doc",
        "raw",
        "day",
        "city",
        "boarding",
        "gate_closes",
        "tags",
        "weights",
        "flights",
        "count",
        "eq",
        "neq",
        "gt",
        "lte",
        "like",
        "ilike",
        "in",
        "is",
        "not",
        "null",
        "true",
        "not_null",
        "and",
        "or",
        "select",
        "order",
        "limit",
        "offset",
        "asc",
        "desc",
        "nullsfirst",
        ".",
        ".",
        ",",
        "(",
        ")",
        "=",
        "=",
        "&",
        "&",
        ":",
        "::",
        "*",
        "%",
        "%22",
        "%00",
        "%27",
        "%5C",
        "\"",
        "'",
        "\\",
        ";",
        "--",
        "/*",
        "$1",
        "->>",
        "->",
        "->0",
        "->-1",
        "->>\"a'b\\\\\"",
        "(any)",
        "(all)",
        "match",
        "imatch",
        "isdistinct",
        "adj",
        "nxr",
        "rank",
        "NULL",
        "^a+(b|c)$",
        "{",
        "}",
        "+",
        " ",
        "1",
        "-1",
        "é",
        "2024-01-01",
        "10:17:00",
        "{a,\"b\"}",
    ];
    let shaped = vec![
        "select=id",
        "select=\"\":id",
        "&select=*,\"a\0b\":id",
        "&order=id.desc",
        "&id=eq.1",
        "&user=in.(\"a\",b)",
        "&or=(",
        "id.eq.1,",
        "id.is.null",
        "not.and(id.gt.1)",
        "&limit=",
        "&offset=",
        "&page=is.",
        "&user=ilike.*",
        "&raw=like.",
        "&day=not.lt.",
        "&city=like.",
        "&tags=in.({a},",
        "&tags=eq.{",
        "&seats=gt.{1",
        "&boarding=lt.",
        "&user=fts.",
        "&city=wfts.",
        "!!!!!!!",
        "-----------",
        "&tags=cs.{{{{",
        "&user=match.",
        "&city=imatch(any).{",
        "&user=like(all).{a,",
        "&delay=eq(any).{1,",
        "&tags=gt(all).{\"{a}\"",
        "&doc->",
        "&doc->>a=eq.",
        "&tags->0=isdistinct.",
        "&or=(doc->a->>",
        "&order=doc->>",
        "&seats=sl.",
        "&cursor=",
        "&cursor=eyJ2IjoxfQ",
        "(?=a)",
        "{255}{255}",
    ];
    let piece = prop_oneof![3 => select(fragments), 2 => select(shaped)];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_parsed_or_refused() {
    let table = table();
    let strategy = prop_oneof![".{0,80}", "[ -~]{0,80}", fragments()];
    let config = Config { cases: 10_000, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |text| {
            if let Err(error) = Query::parse(&text, &table) {
                prop_assert!(!error.message.is_empty(), "{:?}", error);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn parsed_queries_are_valid_sql() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    let nulls = vec![Value::Null; table.columns().len() - 1];
    database.fill(&table, &[std::iter::once(Value::I64(1)).chain(nulls).collect()]);
    let answered = std::cell::Cell::new(0);
    let config = Config { cases: 4_000, ..Config::default() };
    TestRunner::new(config)
        .run(&fragments(), |text| {
            let Ok(query) = Query::parse(&text, &table) else { return Ok(()) };
            let rendering = Rendering { schema: SCHEMA, max_rows: Some(10), ..list() };
            match database.fetch(&query.to_sql(&rendering)) {
                Ok(_) => answered.set(answered.get() + 1),
                // Errors of the client: invalid values, operators that a type does not have, `is.true` of what is not
                // boolean, words that are not in the grammar of `fts`. Any other error is a bug.
                Err(error) => {
                    let by_client = error.code.as_str().starts_with("22")
                        || ["42601", "42883", "42804"].contains(&error.code.as_str());
                    prop_assert!(by_client, "{}: {:?}", text, error);
                }
            }
            Ok(())
        })
        .unwrap();
    assert!(answered.get() > 100, "only {} queries came through", answered.get());
}

/// SQLSTATE of "window function lag requires an OVER clause".
const WRONG_OBJECT_TYPE: &str = "42809";

#[test]
fn the_error_for_a_missing_column_equals_that_of_postgres() {
    let (database, table) = (Database::create(), table());
    database.create_table(&table);
    let names: Vec<_> = table.columns().iter().map(|column| column.name.to_string()).collect();
    // Similar to a column, so that there is something to suggest.
    let near =
        (select(names), prop::collection::vec((any::<Index>(), 0..3_u8, "[a-zé]"), 0..4)).prop_map(|(name, edits)| {
            let mut letters: Vec<_> = name.chars().collect();
            for (at, edit, letter) in edits {
                let at = at.index(letters.len() + 1);
                match edit {
                    0 => letters.insert(at, letter.chars().next().unwrap()),
                    1 if at < letters.len() => _ = letters.remove(at),
                    _ if at < letters.len() => letters[at] = letter.chars().next().unwrap(),
                    _ => {}
                }
            }
            letters.into_iter().collect::<String>()
        });
    let strategy = prop_oneof![4 => near, 1 => "[a-z]{1,8}"];
    TestRunner::new(Config { cases: 1_000, ..Config::default() })
        .run(&strategy, |name| {
            prop_assume!(!name.is_empty() && table.column(&name).is_none());
            let ours = Query::parse(&format!("select=\"{name}\""), &table).unwrap_err();
            let text = format!("SELECT \"flights\".\"{name}\" FROM {}", qualified(&table));
            match database.fetch(&statement(text, vec![])) {
                // Postgres reads `flights.lag` as `lag(flights)` if there is a function of the name, here a window function. Names
                // of functions are not columns for us.
                Err(theirs) if theirs.code.as_str() == WRONG_OBJECT_TYPE => {}
                Err(theirs) => prop_assert_eq!(ours, theirs),
                Ok(_) => prop_assert!(false, "Postgres accepts {}", name),
            }
            Ok(())
        })
        .unwrap();
}
