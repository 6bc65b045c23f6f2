//! The canonical form of JSON: examples, and properties of every form.
#![allow(clippy::unwrap_used, reason = "a test that finds what it did not expect fails")]

use gnomon_values::{
    json::{CanonicalJson, JsonError, MAX_GROWTH},
    number::Number,
};
use proptest::prelude::*;
use serde_json::Value;

fn form(text: &str) -> String {
    CanonicalJson::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).into()
}

#[test]
fn each_text_of_the_golden_file_has_its_form() {
    for line in include_str!("golden/json.tsv").lines().filter(|line| !line.starts_with('#')) {
        let (text, expected) = line.split_once('\t').unwrap();
        match (CanonicalJson::parse(text), expected.strip_prefix("! ")) {
            (Ok(found), None) => {
                assert_eq!(found.as_str(), expected, "{text}");
                assert_eq!(form(expected), expected, "{text}");
            }
            (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{text}: {error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn exponents_cannot_make_a_text_much_longer() {
    let many = |count: usize| format!("[{}]", vec!["1e131071"; count].join(","));
    let fits = MAX_GROWTH / 131_072 - 1;
    assert!(form(&many(fits)).len() > fits * 131_072);
    let error = CanonicalJson::parse(&many(100_000)).unwrap_err();
    assert!(matches!(&error, JsonError::Grown { number } if number == "1e131071"), "{error}");
    assert!(error.to_string().contains("the number 1e131071 makes the JSON longer"), "{error}");
}

/// Any JSON number: of doubles, of decimals, of long integers, with exponents.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_filter("JSON has none", |float| float.is_finite()).prop_map(
            |float| {
                let (plain, short) = (float.to_string(), format!("{float:e}"));
                if plain.len() < 30 && plain.contains('.') { plain } else { short }
            }
        ),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,30})\\.[0-9]{1,30}",
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,3}",
    ]
}

fn json() -> impl Strategy<Value = String> {
    let blank = "[ \n\t]{0,2}";
    let text = prop_oneof![
        "[a-c]{0,2}".prop_map(|text| format!("{text:?}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text.replace('\0', "")).unwrap()),
        "(\\\\u00[4-6][0-9a-fA-F]|\\\\[bfnrt/\"\\\\]|x){0,4}".prop_map(|text| format!("\"{text}\"")),
    ];
    let scalar = prop_oneof![4 => number(), 3 => text.clone(), 1 => "(null|true|false)"];
    scalar.prop_recursive(5, 40, 6, move |inner| {
        let items = prop::collection::vec((blank, inner.clone()), 0..6).prop_map(|items| {
            items.iter().map(|(blank, item)| format!("{blank}{item}{blank}")).collect::<Vec<_>>().join(",")
        });
        let members = prop::collection::vec((blank, text.clone(), inner), 0..6).prop_map(|members| {
            members
                .iter()
                .map(|(blank, key, item)| format!("{blank}{key}{blank}:{blank}{item}{blank}"))
                .collect::<Vec<_>>()
                .join(",")
        });
        prop_oneof![items.prop_map(|items| format!("[{items}]")), members.prop_map(|members| format!("{{{members}}}"))]
    })
}

/// Whether two documents are the same, number for number.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Number::parse(one.as_str()) == Number::parse(other.as_str()),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        (one, other) => one == other,
    }
}

proptest! {
    #[test]
    fn the_form_is_the_same_json_and_its_own_form(text in json()) {
        let canonical = form(&text);
        prop_assert_eq!(&form(&canonical), &canonical);
        let (before, after): (Value, Value) = (serde_json::from_str(&text).unwrap(), serde_json::from_str(&canonical).unwrap());
        prop_assert!(is_same(&before, &after), "{} became {}", text, canonical);
        // Equal documents have equal forms.
        prop_assert_eq!(form(&before.to_string()), canonical);
    }

    #[test]
    fn every_double_keeps_its_bits(bits in any::<u64>()) {
        let float = f64::from_bits(bits);
        prop_assume!(float.is_finite());
        let expected = if float == 0.0 { 0 } else { bits };
        for text in [serde_json::to_string(&float).unwrap(), format!("{float:e}")] {
            prop_assert_eq!(form(&text).parse::<f64>().unwrap().to_bits(), expected, "{}", text);
        }
        let exact = Number::parse(&serde_json::to_string(&float).unwrap()).unwrap().exact_float().unwrap();
        prop_assert_eq!(exact.to_bits(), expected);
    }

    #[test]
    fn a_number_is_exact_in_a_float_only_if_that_is_written_as_the_number(text in number()) {
        let number = Number::parse(&text).unwrap();
        let float = text.parse::<f64>().unwrap();
        let written = serde_json::to_string(&float).ok().and_then(|written| Number::parse(&written));
        let (number_as_float, is_exact) = (Number::parse(&format!("{text}{}", if number.is_integer() { ".0" } else { "" })), number.exact_float());
        prop_assert_eq!(is_exact.is_some(), float.is_finite() && written == number_as_float, "{}", text);
    }
}
