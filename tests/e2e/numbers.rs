//! Numbers keep every digit from an event to an answer, or their event fails with an error that names the number.

use std::collections::BTreeMap;

use gnomon::postgres::test_database::TestDatabase;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json, value::RawValue};

use crate::support::{Host, until};

/// The values of one event, as they are written.
#[derive(Clone, Debug)]
struct Sample {
    int: i64,
    float: f64,
    decimal: String,
    any: String,
}

/// A double of any bits that JSON can write.
fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("JSON has none", |float| float.is_finite()),
        (1..5000_i32).prop_map(|n| 1.0 / f64::from(n)),
        (0..400_i32).prop_map(|n| f64::from(n) * 1e15),
    ]
}

/// A decimal that `Decimal` holds, with zeros at its end or without.
fn decimal() -> impl Strategy<Value = String> {
    prop_oneof!["-?[1-9][0-9]{0,13}\\.[0-9]{1,14}", "-?[1-9][0-9]{0,27}", "0\\.0{0,20}[1-9]", "-?[1-9][0-9]{0,8}e[0-9]"]
}

fn json_of(float: f64) -> String {
    serde_json::to_string(&float).unwrap()
}

/// JSON with numbers of any kind.
fn document() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        float().prop_map(json_of),
        decimal(),
        "-?[1-9][0-9]{19,60}",
        "-?[1-9][0-9]{0,30}\\.[0-9]{1,60}",
        "-?[1-9]\\.[0-9]e[+-]?[1-4][0-9]{0,2}",
        Just("-0.0".to_owned()),
        Just("1e400".to_owned()),
    ];
    number.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
            (inner.clone(), inner).prop_map(|(b, a)| format!(r#"{{"b": {b},"a":{a}}}"#)),
        ]
    })
}

fn samples(count: usize) -> Vec<Sample> {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let sample = (any::<i64>(), float(), decimal(), document());
    let sample = sample.prop_map(|(int, float, decimal, any)| Sample { int, float, decimal, any });
    (0..count).map(|_| sample.new_tree(&mut runner).unwrap().current()).collect()
}

impl Sample {
    fn data(&self) -> String {
        let Self { int, float, decimal, any } = self;
        let float = json_of(*float);
        format!(
            r#"{{"int":{int},"float":{float},"decimal":{decimal},"any":{any},"flat_float":{float},"flat_decimal":{decimal},"flat_any":{any}}}"#
        )
    }
}

fn line(stream: &str, event_type: &str, data: &str) -> String {
    format!("{{\"stream\":\"{stream}\",\"type\":\"{event_type}\",\"data\":{data}}}\n")
}

/// JSON whose numbers are compared by value: floats may be written in several ways.
fn normal(json: &str) -> String {
    gnomon_values::json::CanonicalJson::parse(json).unwrap_or_else(|error| panic!("{json}: {error}")).into()
}

/// A number as a column of decimals answers it.
fn decimal_cell(number: &str) -> String {
    let plain = normal(number);
    plain.strip_suffix(".0").unwrap_or(&plain).to_owned()
}

type Rows = Vec<BTreeMap<String, Box<RawValue>>>;

async fn readings(host: &Host, query: &str) -> Rows {
    let request = host.request(Method::GET, &format!("/v1/read-models/numbers/readings?{query}"));
    let request = request.header("gnomon-min-position", host.head().await).header("prefer", "wait=60");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn cli(host: &Host, arguments: &[&str]) -> String {
    let output = host.try_run(arguments).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_the_same_from_the_event_to_every_answer() {
    const REPLAYED: usize = 250;
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let samples = samples(300);
    let import = async |range: std::ops::Range<usize>| {
        let lines = range.flat_map(|n| {
            [line(&format!("n-{n:04}"), "Measured", &samples[n].data()), line(&format!("n-{n:04}"), "Looked", "{}")]
        });
        let answer = host.import(lines.collect()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    };
    import(0..REPLAYED).await;
    let build = host.deploy("numbers", test_support::guest("numbers"), "").await;
    host.until_state("numbers", build, "active").await;
    import(REPLAYED..samples.len()).await;
    // A row of the replay is read from Postgres again.
    host.append_one("n-0007", "Looked", json!({})).await;

    let rows = readings(&host, "order=name").await;
    assert_eq!(rows.len(), samples.len());
    for (row, sample) in rows.iter().zip(&samples) {
        let cell = |name: &str| row[name].get();
        assert_eq!(cell("int"), sample.int.to_string(), "{sample:?}");
        assert_eq!(cell("float").parse::<f64>().unwrap(), sample.float, "{sample:?}");
        assert_eq!(cell("decimal"), decimal_cell(&sample.decimal), "{sample:?}");
        assert_eq!(normal(cell("any")), normal(&sample.any), "{sample:?}");
        let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(cell("all")).unwrap();
        for name in ["any", "flat_any"] {
            assert_eq!(normal(all[name].get()), normal(&sample.any), "{sample:?}");
        }
        for name in ["decimal", "flat_decimal"] {
            let text: String = serde_json::from_str(all[name].get()).unwrap();
            assert_eq!(decimal_cell(&text), cell("decimal"), "{sample:?}");
        }
        for name in ["float", "flat_float"] {
            assert_eq!(all[name].get().parse::<f64>().unwrap().to_bits(), (sample.float + 0.0).to_bits(), "{sample:?}");
        }
        assert!(cell("seen").contains(&format!("Some({:?})", sample.float + 0.0)), "{sample:?}: {}", cell("seen"));
        assert!(cell("same_decimal") != "0" && cell("same_float") != "0", "{sample:?}");
    }
    filters_and_the_command_line_have_the_same_numbers(&host, &rows, &samples).await;

    // Kept and fresh memory of the module give the same rows.
    let begun = host.post("/v1/projections/numbers/verify").await;
    assert_eq!(begun.body["verification"], 1, "{begun:?}");
    until("it has caught up", async || host.verification("numbers", 1).await["state"] == "live").await;
    let result = host.get("/v1/projections/numbers/verify/1").await;
    assert_eq!(result.body["identical"], true, "{}", result.body);
}

async fn filters_and_the_command_line_have_the_same_numbers(host: &Host, rows: &Rows, samples: &[Sample]) {
    for (n, (row, sample)) in rows.iter().zip(samples).enumerate().step_by(10) {
        let cell = |name: &str| row[name].get();
        for filter in [
            format!("int=eq.{}", sample.int),
            format!("decimal=eq.{}", sample.decimal),
            format!("decimal=eq.{}", cell("decimal")),
            format!("float=eq.{:e}", sample.float),
            format!("float=eq.{}", cell("float").replace('+', "%2B")),
        ] {
            let found = readings(host, &format!("{filter}&name=eq.{n:04}")).await;
            assert_eq!(found.len(), 1, "{filter}: {sample:?}");
        }
    }
    let table = cli(host, &["query", "numbers", "readings", "--select", "name,int,float,decimal,any"]).await;
    let json = cli(host, &["query", "numbers", "readings", "--json"]).await;
    let events = cli(host, &["events", "--limit", "1000"]).await;
    for (row, sample) in rows.iter().zip(samples) {
        let line = table.lines().find(|line| line.starts_with(row["name"].get().trim_matches('"'))).unwrap();
        for name in ["int", "float", "decimal"] {
            assert!(line.split(' ').any(|cell| cell == row[name].get()), "{name} of {sample:?}: {line}");
        }
        let any: String = row["any"].get().chars().filter(|character| *character != ' ').collect();
        assert!(line.ends_with(&any), "{sample:?}: {line}");
        assert!(json.contains(row["any"].get()), "{sample:?}");
        assert!(events.contains(&sample.data()), "{sample:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_a_column_cannot_hold_fails_at_its_event_by_name() {
    let database = TestDatabase::create().await;
    let host = Host::start(&database).await;
    let build = host.deploy("numbers", test_support::guest("numbers"), "").await;
    host.until_state("numbers", build, "active").await;
    host.set_on_failure("numbers", "skip").await;
    let cases = [
        (r#"{"float":1e400}"#, "neither an integer of 64 bits nor a float holds exactly 1e400"),
        (r#"{"flat_float":0.1234567890123456789}"#, "holds exactly 0.1234567890123456789"),
        (r#"{"int":20000000000000000001}"#, "20000000000000000001"),
        (
            r#"{"decimal":0.12345678901234567890123456789}"#,
            "a Decimal cannot hold the number 0.12345678901234567890123456789",
        ),
        (
            r#"{"decimal":"0.00000000000000000000000000001"}"#,
            "a Decimal cannot hold the number 0.00000000000000000000000000001",
        ),
        (r#"{"any":1e200000}"#, "the number 1e200000 has 200001 digits before the point"),
    ];
    for (n, (data, _)) in cases.iter().enumerate() {
        let answer = host.import(line(&format!("n-{n}"), "Measured", data)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    assert_eq!(readings(&host, "").await.len(), 0);
    let letters = host.get("/v1/projections/numbers/dead-letters").await.body;
    let letters = letters["dead_letters"].as_array().unwrap_or_else(|| panic!("{letters}"));
    assert_eq!(letters.len(), cases.len());
    for (n, (data, message)) in (1..).zip(cases) {
        let letter = letters.iter().find(|letter| letter["position"] == n).unwrap();
        let error = letter["error"].to_string();
        assert!(error.contains(message) && error.contains("refused"), "{data}: {error}");
    }
    let failed: Value = host.projection("numbers").await;
    assert_eq!(failed["builds"][0]["state"], "active", "{failed}");
}
