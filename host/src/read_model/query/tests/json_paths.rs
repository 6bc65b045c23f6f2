//! Paths into JSON, on random documents, against a naive walk.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value as Json, json};

use super::{
    database::{Database, list},
    model::{encoded, in_quotes},
};
use crate::read_model::{
    CanonicalJson, ColumnType, Table, Value,
    samples::{column, declaration, nullable},
};

const KEYS: [&str; 9] = ["a", "b-c", "d.e", "it's", "back\\slash", "quo\"te", "é", "0", ") OR true --"];

fn documents() -> Table {
    let columns = [
        column("id", ColumnType::I64),
        nullable("doc", ColumnType::Json),
        nullable("tags", ColumnType::TextArray),
        nullable("seats", ColumnType::I64Array),
        nullable("name", ColumnType::Text),
    ];
    Table::check(&declaration("documents", columns, &["id"])).unwrap()
}

fn document() -> impl Strategy<Value = Json> {
    let leaf = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-7),
        json!("x"),
        json!("null"),
        json!("it's"),
        json!("10"),
        json!("9"),
    ]);
    leaf.prop_recursive(3, 16, 4, |inner| {
        let object = prop::collection::vec((select(&KEYS[..]), inner.clone()), 0..4)
            .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
        prop_oneof![object.prop_map(Json::Object), prop::collection::vec(inner, 0..4).prop_map(Json::Array),]
    })
}

#[derive(Clone, Debug)]
enum Step {
    Key(&'static str),
    Index(i64),
}

fn walk<'j>(json: &'j Json, path: &[Step]) -> Option<&'j Json> {
    path.iter().try_fold(json, |json, step| match (step, json) {
        (Step::Key(key), Json::Object(object)) => object.get(*key),
        // For Postgres, a value that is neither an object nor an array is also an array of itself.
        (Step::Index(0 | -1), json) if !json.is_object() && !json.is_array() => Some(json),
        (Step::Index(index), Json::Array(array)) => {
            let at = if *index < 0 { i64::try_from(array.len()).unwrap() + index } else { *index };
            array.get(usize::try_from(at).ok()?)
        }
        _ => None,
    })
}

/// What `->>` makes of it; `None` for what the model does not write as Postgres does.
fn as_text(json: &Json) -> Option<Option<String>> {
    match json {
        Json::Null => Some(None),
        Json::String(text) => Some(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) => Some(Some(json.to_string())),
        Json::Array(_) | Json::Object(_) => None,
    }
}

fn written(column: &str, path: &[Step], as_text: bool) -> String {
    let last = path.len() - 1;
    path.iter().enumerate().fold(column.to_owned(), |written, (at, step)| {
        let arrow = if as_text && at == last { "->>" } else { "->" };
        match step {
            Step::Key(key) => format!("{written}{arrow}{}", in_quotes(key)),
            Step::Index(index) => format!("{written}{arrow}{index}"),
        }
    })
}

fn ids(database: &Database, table: &Table, url: &str) -> Vec<i64> {
    let answer = database.answer(table, url, &list()).unwrap_or_else(|error| panic!("{url}: {error:?}"));
    let rows: Vec<Json> = serde_json::from_str(&answer.body).unwrap();
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[test]
fn postgres_walks_where_the_path_leads() {
    let (database, table) = (Database::create(), documents());
    database.create_table(&table);
    let step = prop_oneof![3 => select(&KEYS[..]).prop_map(Step::Key), 1 => (-2..3_i64).prop_map(Step::Index)];
    let texts = vec!["x", "null", "it's", "true", "0", "-7", "10", "9"];
    let strategy = (
        prop::collection::vec(document(), 1..8),
        prop::collection::vec((prop::collection::vec(step, 1..4), select(texts), any::<bool>()), 8),
    );
    TestRunner::new(Config::default())
        .run(&strategy, |(documents, tests)| {
            let rows: Vec<_> = documents
                .iter()
                .zip(0..)
                .map(|(document, id)| {
                    let json = CanonicalJson::parse(&document.to_string()).unwrap();
                    vec![Value::I64(id), Value::Json(json), Value::Null, Value::Null, Value::Null]
                })
                .collect();
            database.fill(&table, &rows);
            for (path, text, not) in tests {
                let not_word = if not { "not." } else { "" };
                let matching = |holds: &dyn Fn(&Json) -> Option<bool>| {
                    let all = documents.iter().zip(0_i64..);
                    all.filter(|(document, _)| holds(document) == Some(!not)).map(|(_, id)| id).collect::<Vec<_>>()
                };
                let as_json = written("doc", &path, false);
                let to_text = written("doc", &path, true);
                let shown = |document: &Json| walk(document, &path).map(as_text);
                // What the model cannot write equals none of these texts.
                let text_of = |document: &Json| match shown(document) {
                    None => None,
                    Some(Some(text)) => text,
                    Some(None) => Some("{".to_owned()),
                };
                let number: Option<Json> = serde_json::from_str(text).ok();
                let mut cases = vec![
                    (to_text.clone(), format!("eq.{text}"), matching(&|its| text_of(its).map(|found| found == text))),
                    (to_text.clone(), "is.null".to_owned(), matching(&|its| Some(text_of(its).is_none()))),
                    (
                        to_text.clone(),
                        format!("isdistinct.{text}"),
                        matching(&|its| Some(text_of(its).as_deref() != Some(text))),
                    ),
                    (
                        to_text.clone(),
                        format!("in.(\"{text}\",y)"),
                        matching(&|its| text_of(its).map(|found| found == text || found == "y")),
                    ),
                    (as_json.clone(), "is.null".to_owned(), matching(&|its| Some(walk(its, &path).is_none()))),
                ];
                if let Some(number) = number {
                    cases.push((
                        as_json,
                        format!("eq.{text}"),
                        matching(&|its| walk(its, &path).map(|found| *found == number)),
                    ));
                }
                for (key, filter, expected) in cases {
                    let alone =
                        format!("select=id&order=id&{}={}", encoded(&key), encoded(&format!("{not_word}{filter}")));
                    prop_assert_eq!(&ids(&database, &table, &alone), &expected, "{}", alone);
                    let inside = encoded(&format!("(id.lt.0,{key}.{not_word}{filter})"));
                    let inside = format!("select=id&order=id&or={inside}");
                    prop_assert_eq!(&ids(&database, &table, &inside), &expected, "{}", inside);
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn other_columns_are_walked_as_the_json_that_they_would_be() {
    let (database, table) = (Database::create(), documents());
    database.create_table(&table);
    database.execute(format!(
        "INSERT INTO {} VALUES (1, '{{\"n\": 10, \"s\": \"b\"}}', '{{x,\"a,b\"}}', '{{7,8}}', 'Ada'), \
         (2, '{{\"n\": 9, \"s\": \"a\"}}', '{{}}', '{{8,7}}', NULL), (3, '{{\"n\": null}}', NULL, NULL, NULL)",
        super::database::qualified(&table)
    ));
    for (query, expected) in [
        ("tags->>1=eq.a,b", &[1][..]),
        ("tags->>-1=eq.a,b", &[1]),
        ("seats->0=eq.7", &[1]),
        ("seats->0=gt.7", &[2]),
        ("seats->>0=like.*", &[1, 2]),
        ("name->a=is.null", &[1, 2, 3]),
        // Texts are compared as texts: 10 is less than 9.
        ("doc->>n=lt.9", &[1]),
        ("doc->n=lt.10", &[2, 3]),
        ("doc->n=cs.10", &[1]),
        ("doc->n=eq.null", &[3]),
        ("doc->>n=is.null", &[3]),
        ("doc->>s=ilike.A", &[2]),
        ("doc->>s=imatch.^[AB]$", &[1, 2]),
        ("doc->>s=like(any).{a,c*}", &[2]),
        ("doc->s=eq(any).{\"\\\"a\\\"\"}", &[2]),
        ("doc->>s=fts.a", &[2]),
        ("doc=cs.{\"s\":\"a\"}", &[2]),
        ("doc=eq.{\"n\":null}", &[3]),
        ("doc=isdistinct.{\"n\":null}", &[1, 2]),
    ] {
        assert_eq!(
            ids(&database, &table, &format!("select=id&order=id&{}", query.replace('"', "%22"))),
            expected,
            "{query}"
        );
    }
    for (order, expected) in [
        ("doc->n", [3, 2, 1]),
        ("doc->n.desc", [1, 2, 3]),
        ("doc->>n", [1, 2, 3]),
        ("doc->>s.desc.nullslast", [1, 2, 3]),
        ("doc->>s.nullsfirst", [3, 2, 1]),
        ("tags->0,id.desc", [1, 3, 2]),
        ("seats->>-1,doc->>s", [2, 1, 3]),
    ] {
        assert_eq!(ids(&database, &table, &format!("select=id&order={order}")), expected, "{order}");
    }
}
