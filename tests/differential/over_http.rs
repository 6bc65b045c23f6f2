//! Rows of every newer type of column through the whole host: written by a component, read over HTTP, and found by what was read.

use std::fmt::Write;

use differential_guest::{Operation, Shapes};
use gnomon::server::ServerSettings;
use gnomon_sdk::prelude::*;
use gnomon_values::{LocalTimestamp as Local, TimeOfDay as Time};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::{host::TestHost, random::Random};

const ROWS: i64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_over_http_as_written_and_found_by_what_was_read() {
    let host = TestHost::start(ServerSettings::default()).await;
    let mut random = Random::new(0xB0A7);
    let written: Vec<Shapes> = (0..ROWS).map(|id| Shapes { id, ..random.shapes() }).collect();
    // One half is replayed, the other is folded live.
    let (before, after) = written.split_at(written.len() / 2);
    append(&host, before).await;
    let build = host.deploy("p", test_support::component("differential-guest"), "").await;
    host.until_state("p", build, "active").await;
    append(&host, after).await;
    let position = u64::try_from(ROWS).unwrap();

    let shown = host.rows_at("p/shapes?order=id", position).await;
    let expected: Vec<Value> = written.iter().map(as_json).collect();
    assert_eq!(shown.iter().map(normal).collect::<Vec<_>>(), expected);

    let mut found = 0;
    for row in &shown {
        for (column, cell) in row.as_object().unwrap() {
            let id = row["id"].as_i64().unwrap();
            // Each way to write a value in turn.
            let filter = match (cell, id % 3) {
                (Value::Null, _) => format!("{column}=is.null"),
                (cell, 0) => format!("{column}=eq.{}", encoded(&literal(cell))),
                // Twice, since a list of one empty text means the empty list.
                (cell, 1) => format!("{column}=in.({0},{0})", encoded(&in_quotes(&literal(cell)))),
                (cell, _) => format!("or=({column}.eq.{})", encoded(&in_quotes(&literal(cell)))),
            };
            let same = |other: &&Value| match (cell, &other[column]) {
                (Value::String(cell), Value::String(other)) if column.ends_with("title") => {
                    cell.to_lowercase() == other.to_lowercase()
                }
                (cell, other) => cell == other,
            };
            let expected: Vec<&Value> = shown.iter().filter(same).map(|row| &row["id"]).collect();
            let rows = host.rows_at(&format!("p/shapes?select=id&order=id&{filter}"), position).await;
            assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), expected, "{filter}");
            found += expected.len();
        }
    }
    assert!(found > 17 * shown.len(), "{found}");
    host.stop().await;
}

async fn append(host: &TestHost, rows: &[Shapes]) {
    let mut lines = String::new();
    for row in rows {
        let operations = [Operation::PutShapes(Box::new(row.clone()), 0, 0)];
        writeln!(lines, "{}", json!({"stream": "stream-1", "type": "Do", "data": operations})).unwrap();
    }
    let imported = host.import(lines).await;
    assert!(imported.status.is_success(), "{imported:?}");
}

/// A row as the documentation of the HTTP API says that it is shown, floats as their bits.
fn as_json(row: &Shapes) -> Value {
    let local = |time: LocalTimestamp| Local::of(time).unwrap().to_string();
    let time = |time: TimeOfDay| Time::of(time).unwrap().to_string();
    json!({
        "id": row.id, "number": row.number, "title": row.title.0, "local": local(row.local), "time": time(row.time),
        "local_micros": Local(row.local_micros.0).to_string(), "time_micros": Time(row.time_micros.0).to_string(),
        "texts": row.texts, "numbers": row.numbers, "floats": row.floats.iter().copied().map(float).collect::<Vec<_>>(),
        "uuids": row.uuids, "maybe_title": row.maybe_title.as_ref().map(|title| &title.0),
        "maybe_local": row.maybe_local.map(local), "maybe_time": row.maybe_time.map(time),
        "maybe_texts": row.maybe_texts, "maybe_numbers": row.maybe_numbers, "maybe_uuids": row.maybe_uuids,
    })
}

fn float(float: f64) -> String {
    match float {
        nan if nan.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        float => format!("{:016x}", (float + 0.0).to_bits()),
    }
}

/// A row that was read, floats as their bits.
fn normal(row: &Value) -> Value {
    let mut row: Map<String, Value> = row.as_object().unwrap().clone();
    let floats = row["floats"].as_array().unwrap().iter();
    let floats = floats.map(|shown| match shown {
        Value::Number(number) => float(number.as_f64().unwrap()).into(),
        other => other.clone(),
    });
    row["floats"] = floats.collect();
    row.into()
}

/// A value that was read, as a client writes it.
fn literal(shown: &Value) -> String {
    match shown {
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(|element| in_quotes(&literal(element))).collect();
            format!("{{{}}}", elements.join(","))
        }
        other => other.to_string(),
    }
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
