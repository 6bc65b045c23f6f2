//! Numbers in an author's types.

use std::{collections::HashMap, fmt::Debug};

use gnomon_values::number::Number;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{from_str, short_name};

fn reads<T: DeserializeOwned + Debug + PartialEq>(text: &str, expected: T) {
    match from_str::<T>(text) {
        Ok(found) => assert_eq!(found, expected, "{text}"),
        Err(failure) => panic!("{text}: {failure}"),
    }
}

#[track_caller]
fn fails<T: DeserializeOwned + Debug>(text: &str, words: &[&str]) {
    let failure = from_str::<T>(text).unwrap_err().to_string();
    for words in words {
        assert!(failure.contains(words), "{text}: {failure}");
    }
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

/// JSON numbers, and the values that an `f64` and a `Decimal` read from them.
const NUMBERS: [(&str, Option<f64>, Option<&str>); 16] = [
    ("0", Some(0.0), Some("0")),
    ("-7", Some(-7.0), Some("-7")),
    ("1.0", Some(1.0), Some("1")),
    ("1.50", Some(1.5), Some("1.5")),
    ("1e2", Some(100.0), Some("100")),
    ("0.1", Some(0.1), Some("0.1")),
    ("0.09090909090909091", Some(1.0 / 11.0), Some("0.09090909090909091")),
    ("99999999999999.99", None, Some("99999999999999.99")),
    ("123456789012345.67", Some(123_456_789_012_345.67), Some("123456789012345.67")),
    ("5.06e-6", Some(5.06e-6), Some("0.00000506")),
    ("1e16", Some(1e16), Some("10000000000000000")),
    ("1.7976931348623157e308", Some(f64::MAX), None),
    ("5e-324", Some(5e-324), None),
    ("12345678901234567.89", None, Some("12345678901234567.89")),
    ("0.1234567890123456789012345678", None, Some("0.1234567890123456789012345678")),
    ("0.12345678901234567890123456789", None, None),
];

#[derive(Debug, Deserialize, PartialEq)]
struct Plain<T> {
    n: T,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Flat<T> {
    k: String,
    #[serde(flatten)]
    rest: Plain<T>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind")]
enum Tagged<T> {
    One { n: T },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Untagged<T> {
    Nothing { m: bool },
    One { n: T },
}

#[derive(Debug, Deserialize, PartialEq)]
enum Outside<T> {
    One { n: T },
    Two(T, T),
    Three(T),
}

#[derive(Debug, Deserialize, PartialEq)]
struct Newtype<T>(T);

/// Checks that a number is read in every shape.
fn everywhere<T: DeserializeOwned + Debug + PartialEq + Clone>(number: &str, value: &T) {
    let value = || value.clone();
    reads(number, value());
    reads(&format!("[{number}, {number}]"), vec![value(), value()]);
    reads(&format!("[{number}, 7]"), (value(), 7));
    reads(&format!(r#"{{"n":{number}}}"#), Plain { n: value() });
    reads(&format!(r#"{{"n":{number}}}"#), HashMap::from([("n".to_owned(), value())]));
    reads(&format!(r#"{{"n":{{"n":{number}}}}}"#), Plain { n: Plain { n: Some(value()) } });
    reads(number, Newtype(Box::new(value())));
    reads(&format!(r#"{{"One":{{"n":{number}}}}}"#), Outside::One { n: value() });
    reads(&format!(r#"{{"Two":[{number},{number}]}}"#), Outside::Two(value(), value()));
    reads(&format!(r#"{{"Three":{number}}}"#), Outside::Three(value()));
    buffered(number, value());
}

/// Checks that a number is read in every shape that serde buffers.
fn buffered<T: DeserializeOwned + Debug + PartialEq + Clone>(number: &str, value: T) {
    let value = || value.clone();
    reads(&format!(r#"{{"k":"x","n":{number}}}"#), Flat { k: "x".to_owned(), rest: Plain { n: value() } });
    reads(
        &format!(r#"{{"k":"x","n":[{{"n":{number}}}]}}"#),
        Flat { k: "x".to_owned(), rest: Plain { n: vec![Plain { n: value() }] } },
    );
    reads(&format!(r#"{{"kind":"One","n":{number}}}"#), Tagged::One { n: value() });
    reads(&format!(r#"{{"n":{number},"kind":"One"}}"#), Tagged::One { n: value() });
    reads(&format!(r#"{{"n":{number}}}"#), Untagged::One { n: value() });
    reads(&format!(r#"{{"n":{{"n":{number}}}}}"#), Untagged::One { n: Untagged::One { n: Some(value()) } });
}

#[test]
fn floats_and_decimals_are_read_exactly_in_every_shape() {
    for (text, float, exact) in NUMBERS {
        if let Some(float) = float {
            everywhere(text, &float);
        }
        if let Some(exact) = exact {
            everywhere(text, &decimal(exact));
        } else {
            fails::<Decimal>(text, &["a Decimal cannot hold the number"]);
        }
    }
    everywhere(r#""12.50""#, &decimal("12.50"));
    everywhere("79228162514264337593543950335", &Decimal::MAX);
    everywhere("20000000000000000001", &decimal("20000000000000000001"));
}

#[test]
fn integers_of_64_bits_are_read_in_every_shape_and_of_128_where_serde_can() {
    everywhere("9223372036854775807", &i64::MAX);
    everywhere("-9223372036854775808", &i64::MIN);
    everywhere("18446744073709551615", &u64::MAX);
    everywhere("255", &255_u8);
    everywhere("-0", &0.0);
    reads(&u128::MAX.to_string(), u128::MAX);
    reads(&format!(r#"{{"n":[{}]}}"#, i128::MIN), Plain { n: vec![Some(i128::MIN)] });
    fails::<Flat<u128>>(r#"{"k":"x","n":20000000000000000001}"#, &["20000000000000000001"]);
}

#[test]
fn a_value_keeps_every_digit_in_every_shape() {
    for (text, ..) in NUMBERS {
        keeps_every_digit(text);
    }
    for text in ["12345678901234567890.0", "1e400", "-1.50e-400", "1234567890123456789012345678901234567890.5"] {
        keeps_every_digit(text);
    }
    assert_eq!(from_str::<Value>("[12345678901234567.890]").unwrap().to_string(), "[12345678901234567.89]");
    for integer in ["20000000000000000000", "-99999999999999999999999999999999999999999999"] {
        assert_eq!(
            from_str::<Flat<Value>>(&format!(r#"{{"k":"","n":{integer}}}"#)).unwrap().rest.n.to_string(),
            integer
        );
    }
}

#[test]
fn numbers_that_do_not_fit_are_named() {
    fails::<Plain<f64>>(r#"{"n": 1e400}"#, &["number out of range", "nor a float holds exactly 1e400"]);
    fails::<Plain<u64>>(r#"{"n": 20000000000000000001}"#, &["expected u64", "20000000000000000001"]);
    fails::<Flat<f64>>(r#"{"k":"","n":0.1234567890123456789}"#, &["expected f64", "exactly 0.1234567890123456789"]);
    fails::<Untagged<f64>>(r#"{"n":1e400}"#, &["did not match any variant", "1e400"]);
    fails::<Plain<i64>>(r#"{"n": 1.5}"#, &["floating point `1.5`, expected i64 at line 1 column 9"]);
    let many = format!("[{}]", ["1e400"; 5].join(","));
    fails::<Vec<f64>>(&many, &["exactly 1e400, 1e400, 1e400 and others"]);
    fails::<Vec<Decimal>>(
        r#"["1.5", 0.12345678901234567890123456789]"#,
        &["the number 0.12345678901234567890123456789 "],
    );
    fails::<Decimal>("1e999999999", &["the number 1e+999999999 "]);
    // Fields that are not read need not fit.
    reads(r#"{"n": 1, "m": 1e400}"#, Plain { n: 1 });
}

/// A number that fits is read in every notation.
#[test]
fn the_largest_decimals_are_read_in_every_notation() {
    for (number, digits) in [
        ("1e28", "10000000000000000000000000000"),
        ("7.9e28", "79000000000000000000000000000"),
        ("7.9228162514264337593543950335e28", "79228162514264337593543950335"),
        ("10000000000000000000000000000.0", "10000000000000000000000000000"),
        ("79228162514264337593543950335.00", "79228162514264337593543950335"),
    ] {
        reads(number, decimal(digits));
        reads(&format!("{number:?}"), decimal(digits));
    }
}

#[test]
fn a_decimal_is_never_rounded() {
    for text in [
        "0.00000000000000000000000000001",
        "1.5e-28",
        "92345678901234567890.123456789",
        "79228162514264337593543950336",
        "1e+29",
    ] {
        fails::<Decimal>(text, &[&format!("a Decimal cannot hold the number {text} with all its digits")]);
        if !text.contains('e') {
            fails::<Plain<Option<Decimal>>>(&format!(r#"{{"n":"{text}"}}"#), &["Decimal", text]);
        }
    }
    fails::<Decimal>(r#""1.5e-28""#, &["a Decimal cannot hold the number 1.5e-28"]);
    fails::<Decimal>(r#""a lot""#, &["a lot"]);
    // In a buffer, numbers that a float holds are known only by their value.
    fails::<Flat<Decimal>>(r#"{"k":"","n":0.12345678901234567890123456789}"#, &["0.12345678901234567890123456789"]);
    #[derive(Debug, Deserialize)]
    struct AsText {
        #[serde(deserialize_with = "as_text")]
        n: Decimal,
    }
    fn as_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        deserializer.deserialize_str(TextOfDecimal)
    }
    struct TextOfDecimal;
    impl serde::de::Visitor<'_> for TextOfDecimal {
        type Value = Decimal;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a decimal")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
            text.parse().map_err(E::custom)
        }
    }
    assert_eq!(from_str::<AsText>(r#"{"n":"1.50"}"#).unwrap().n.to_string(), "1.50");
    fails::<AsText>(r#"{"n":"0.00000000000000000000000000001"}"#, &["0.00000000000000000000000000001"]);
}

#[test]
fn an_object_is_never_read_as_a_number() {
    for key in ["$serde_json::private::Number", "$serde_json::private::RawValue", r"$serde_json::private::\u004eumber"]
    {
        for value in ["1", r#""1""#, r#""\u0031""#, "{}"] {
            let text = format!(r#"{{"{key}":{value}}}"#);
            fails::<Value>(&text, &["which serde_json reserves"]);
            assert_eq!(from_str::<HashMap<String, Value>>(&text).unwrap().len(), 1);
        }
    }
    reads(r#"{"a":1,"$serde_json::private::Number":"2"}"#, json!({"a": 1, "$serde_json::private::Number": "2"}));
    reads("{}", json!({}));
    reads(r#"[{"\u0061":null},true,"\n",[]]"#, json!([{ "a": null }, true, "\n", []]));
}

#[test]
fn raw_json_and_texts_pass_through() {
    #[derive(Debug, Deserialize, Serialize)]
    struct Raw {
        n: Box<serde_json::value::RawValue>,
    }
    assert_eq!(from_str::<Raw>(r#"{"n": [1.10, {}] }"#).unwrap().n.get(), "[1.10, {}]");
    reads(r#"{"n":"1e400"}"#, Plain { n: "1e400".to_owned() });
    reads(r#""One""#, Word::One);
    fails::<Plain<i64>>("{", &["EOF"]);
    fails::<i64>("1 2", &["trailing characters"]);
}

#[derive(Debug, Deserialize, PartialEq)]
enum Word {
    One,
}

/// serde_json on its own keeps digits too, except where serde buffers.
#[test]
fn serde_json_alone_reads_what_it_can() {
    let value: Value = serde_json::from_str("[0.1234567890123456789, 20000000000000000001]").unwrap();
    assert_eq!(value.to_string(), "[0.1234567890123456789,20000000000000000001]");
    assert_eq!(serde_json::from_str::<f64>("0.09090909090909091").unwrap().to_bits(), (1.0_f64 / 11.0).to_bits());
    let exact: Decimal = serde_json::from_str("99999999999999.99").unwrap();
    assert_eq!(exact, decimal("99999999999999.99"));
    let flat: Flat<Decimal> = serde_json::from_str(r#"{"k":"","n":99999999999999.99}"#).unwrap();
    assert_eq!(flat.rest.n, decimal("99999999999999.99"));
    assert!(serde_json::from_str::<Flat<f64>>(r#"{"k":"","n":0.5}"#).is_err(), "serde reads it now: update the README");
}

/// Checks that a `Value` keeps a number in every shape.
fn keeps_every_digit(text: &str) {
    let check = |found: &Value| {
        let Value::Number(found) = found else { panic!("{text} became {found}") };
        assert_eq!(Number::parse(found.as_str()), Number::parse(text), "{text} became {found}");
    };
    check(&from_str(text).unwrap());
    check(&from_str::<Value>(&format!(r#"{{"n":[{text}]}}"#)).unwrap()["n"][0]);
    check(&from_str::<Flat<Value>>(&format!(r#"{{"k":"","n":{text}}}"#)).unwrap().rest.n);
    let Untagged::One { n } = from_str(&format!(r#"{{"n":{text}}}"#)).unwrap() else { panic!("{text}") };
    check(&n);
}

/// JSON numbers of every form.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("JSON has none", |float| float.is_finite())
            .prop_map(|float| { format!("{float:e}") }),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,30})\\.[0-9]{1,30}",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,3}",
    ]
}

proptest! {
    #[test]
    fn any_number_is_exact_or_refused(text in number()) {
        keeps_every_digit(&text);
        let nearest: f64 = text.parse().unwrap();
        match from_str::<Plain<f64>>(&format!("{{\"n\":{text}}}")) {
            Ok(found) => prop_assert_eq!(found.n.to_bits(), nearest.to_bits()),
            Err(_) => prop_assert!(nearest.is_infinite()),
        }
        match from_str::<Flat<f64>>(&format!("{{\"k\":\"\",\"n\":{text}}}")) {
            Ok(found) => prop_assert_eq!(found.rest.n, nearest),
            Err(failure) => prop_assert!(failure.to_string().contains("holds exactly"), "{}", failure),
        }
        let exact = Number::parse(&text);
        let decimal = exact.clone().and_then(|exact| super::decimal::decimal(&exact));
        match from_str::<Decimal>(&text) {
            Ok(found) => prop_assert_eq!(Some(found), decimal),
            Err(failure) => prop_assert_eq!(None, decimal, "{}", failure),
        }
        match from_str::<Decimal>(&format!("\"{text}\"")) {
            Ok(found) => prop_assert_eq!(Some(found), decimal),
            // rust_decimal does not parse every exponent in a text.
            Err(failure) => prop_assert!(decimal.is_none() || text.contains(['e', 'E']), "{}", failure),
        }
    }
}

#[test]
fn types_are_named_without_their_modules() {
    assert_eq!(short_name::<Word>(), "Word");
    assert_eq!(short_name::<i64>(), "i64");
    assert_eq!(short_name::<Vec<Word>>(), format!("Vec<{}>", std::any::type_name::<Word>()));
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "what is read is not looked at")]
struct Order {
    customer: String,
    #[serde(default)]
    lines: Vec<Line>,
    #[serde(default)]
    paid: Option<Payment>,
    #[serde(default)]
    notes: HashMap<String, (u8, u8)>,
    #[serde(default)]
    extra: Option<Flat<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "what is read is not looked at")]
struct Line {
    price: Decimal,
    #[serde(default)]
    pieces: Option<u32>,
    #[serde(default, deserialize_with = "even")]
    even: i64,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "what is read is not looked at")]
enum Payment {
    Card { number: String },
    Cash(Vec<i64>),
    Both(i64, i64),
    No,
}

fn even<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = i64::deserialize(deserializer)?;
    if number % 2 == 0 { Ok(number) } else { Err(serde::de::Error::custom("it is odd")) }
}

#[test]
fn a_value_that_does_not_fit_is_found_by_its_path() {
    let reads = |rest: &str| from_str::<Order>(&format!(r#"{{"customer": "ada", "none": [[]]{rest}}}"#)).map(drop);
    let path = |rest: &str| reads(rest).unwrap_err().to_string();
    assert!(reads(r#", "lines": [{"price": 1}], "paid": {"Cash": [5]}, "notes": {"a": [1, 2]}"#).is_ok());
    for (rest, expected) in [
        (r#", "lines": [{"price": 1}, {"price": 2}, {"price": "x"}]"#, "in `lines[2].price`: "),
        (r#", "lines": [{"price": 1}, {"pieces": 2}]"#, "in `lines[1]`: missing field `price`"),
        (r#", "lines": [{"price": 1, "even": 3}]"#, "in `lines[0].even`: it is odd"),
        (
            r#", "lines": [{"price": 1, "pieces": -1}]"#,
            "in `lines[0].pieces`: invalid value: integer `-1`, expected u32",
        ),
        (r#", "lines": [{"price": 1, "prise": 1}]"#, "in `lines[0]`: unknown field `prise`"),
        (r#", "lines": {"price": 1}"#, "in `lines`: invalid type: map, expected a sequence"),
        (r#", "paid": {"Card": {"number": 5}}"#, "in `paid.Card.number`: invalid type: integer `5`, expected a string"),
        (r#", "paid": {"Cash": [1, 2, "x"]}"#, "in `paid.Cash[2]`: invalid type: string \"x\", expected i64"),
        (r#", "paid": {"Both": [1, true]}"#, "in `paid.Both[1]`: invalid type: boolean `true`, expected i64"),
        (r#", "paid": "Cheque""#, "in `paid`: unknown variant `Cheque`"),
        (r#", "paid": "Cash""#, "in `paid`: "),
        (r#", "notes": {"a": [1, 2], "two \"words\"": [1, 300]}"#, r#"in `notes["two \"words\""][1]`: invalid value"#),
        (r#", "notes": {"a": [1, 2], "a": [1]}"#, "in `notes.a`: invalid length 1"),
        (r#", "customer": 1"#, "duplicate field `customer`"),
    ] {
        let found = path(rest);
        assert!(found.starts_with(expected), "{rest}: {found}");
    }
    // What serde reads from a buffer has no path within it.
    let flat = path(r#", "extra": {"k": "a", "n": "x"}"#);
    assert!(flat.starts_with("in `extra`: invalid type: string \"x\", expected i64"), "{flat}");
    assert!(from_str::<Order>("[]").unwrap_err().to_string().starts_with("invalid length 0"));
    let long = "k".repeat(100);
    let found = path(&format!(r#", "notes": {{"{long}": 0}}"#));
    assert!(found.starts_with(&format!("in `notes.{}…`: ", &long[..60])), "{found}");
}

/// A type that goes on after a value that it cannot read leaves nothing behind for the next failure.
#[test]
fn the_path_is_that_of_the_last_failure() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "what is read is not looked at")]
    struct Lenient {
        #[serde(deserialize_with = "or_nothing")]
        values: Option<Vec<i64>>,
    }
    fn or_nothing<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<i64>>, D::Error> {
        Ok(Vec::<i64>::deserialize(deserializer).ok())
    }
    let lenient = from_str::<Lenient>(r#"{"values": [1, "x"]}"#);
    assert!(lenient.unwrap().values.is_none());
    let next = from_str::<Plain<u8>>(r#"{"n": 256}"#).unwrap_err().to_string();
    assert!(next.starts_with("in `n`: invalid value"), "{next}");
}
