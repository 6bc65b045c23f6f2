//! What the guest `boxes` makes of events, told plainly.

use std::collections::BTreeMap;

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What can be put into a box: for each field, values as an event has them and as rows show them.
pub(super) fn fields(random: &mut StdRng) -> (Value, Value) {
    let id = "6d9b4b1e-0000-4000-8000-00000000000a";
    let pool: [(&str, &[(&str, &str)]); 17] = [
        ("label", &[(r#""a""#, r#""a""#), (r#""é,(\"\\.""#, r#""é,(\"\\.""#), (r#""""#, r#""""#)]),
        ("city", &[(r#""Oslo""#, r#""Oslo""#), ("null", "null")]),
        ("flag", &[("true", "true"), ("false", "false")]),
        (
            "small",
            &[
                ("-9223372036854775808", "-9223372036854775808"),
                ("9007199254740993", "9007199254740993"),
                ("null", "null"),
            ],
        ),
        ("float", &[("0.1", "0.1"), ("1e300", "1e+300"), ("null", "null")]),
        (
            "decimal",
            &[("79228162514264337593543950335", "79228162514264337593543950335"), ("-0.0000000001", "-0.0000000001")],
        ),
        (
            "at",
            &[
                (r#""2013-01-01T00:00:00.000001Z""#, r#""2013-01-01T00:00:00.000001Z""#),
                (r#""9999-12-31T23:59:59Z""#, r#""9999-12-31T23:59:59Z""#),
            ],
        ),
        (
            "local",
            &[
                (r#""2013-01-01T10:17:00.25""#, r#""2013-01-01T10:17:00.25""#),
                (r#""0001-01-01T00:00:00""#, r#""0001-01-01T00:00:00""#),
            ],
        ),
        ("day", &[(r#""2013-02-28""#, r#""2013-02-28""#), (r#""0001-01-01""#, r#""0001-01-01""#)]),
        ("clock", &[(r#""23:59:59.999999""#, r#""23:59:59.999999""#), (r#""00:00:00""#, r#""00:00:00""#)]),
        ("id", &[(r#""00000000-0000-0000-0000-000000000000""#, r#""00000000-0000-0000-0000-000000000000""#)]),
        (
            "json",
            &[
                (r#"{"n":0.1234567890123456789,"a":[null,"é"]}"#, r#"{"a":[null,"é"],"n":0.1234567890123456789}"#),
                ("null", "null"),
            ],
        ),
        ("bytes", &[("[0,255]", r#""\\x00ff""#), ("[]", r#""\\x""#)]),
        ("tags", &[(r#"["a","NULL","{,}\"\\"]"#, r#"["a","NULL","{,}\"\\"]"#), ("[]", "[]"), ("null", "null")]),
        ("numbers", &[("[9223372036854775807,-1]", "[9223372036854775807,-1]"), ("null", "null")]),
        ("floats", &[("[0.1,-2.5]", "[0.1,-2.5]"), ("null", "null")]),
        ("ids", &[("null", "null"), ("[]", "[]")]),
    ];
    let (mut event, mut row) = (json!({}), json!({}));
    for (name, values) in pool {
        let (written, shown) = values.choose(random).unwrap();
        (event[name], row[name]) = (json_of(written), json_of(shown));
    }
    if random.random_bool(0.5) {
        (event["id"], row["id"]) = (json!(id), json!(id));
    }
    (event, row)
}

/// The rows of a stream by table and key.
pub(super) type Rows = BTreeMap<(&'static str, String), Value>;
/// The key columns of the tables.
const KEYS: [(&str, &[&str]); 3] = [
    ("boxes", &["stream"]),
    ("things", &["category", "number", "label", "flag", "decimal", "id", "bytes"]),
    ("moments", &["category", "number", "at", "local", "day", "clock"]),
];

fn key_columns(table: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(name, _)| *name == table).unwrap().1
}

/// The key of a row, as filters write it.
pub(super) fn key(table: &str, row: &Value) -> Vec<(&'static str, String)> {
    let text = |column: &str| row[column].as_str().map_or_else(|| row[column].to_string(), str::to_owned);
    key_columns(table).iter().map(|&column| (column, text(column))).collect()
}

/// What the guest makes of an event, told plainly. `None` empties the box.
pub(super) fn fold(rows: &mut Rows, stream: &str, version: u64, kept: Option<&Value>) {
    let Some(kept) = kept else { return rows.clear() };
    let (category, number) = stream.split_once('-').unwrap();
    let number: i64 = number.parse().unwrap();
    let mut contents = kept.clone();
    (contents["stream"], contents["version"]) = (json!(stream), json!(version));
    let mut put = |table, mut row: Value, counts: bool| {
        let key = format!("{:?}", key(table, &row));
        let before = rows.get(&(table, key.clone()));
        if counts {
            row["times"] = json!(before.map_or(0, |row| row["times"].as_i64().unwrap()) + 1);
        }
        rows.insert((table, key), row);
    };
    put("boxes", contents, false);
    for table in ["things", "moments"] {
        let mut row = json!({"category": category, "number": number});
        for &column in &key_columns(table)[2..] {
            row[column] = kept[column].clone();
        }
        put(table, row, true);
    }
}
