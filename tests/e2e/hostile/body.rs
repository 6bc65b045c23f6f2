//! Queries as bodies: what a query string says, and JSON that says it in ways that nobody should.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Map, Value, json};

/// What is put into the text of a body, or takes the place of a part of it.
const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\\x",
    "\u{0}",
    "\n",
    "\u{feff}",
    "\u{202e}",
    "//",
    "/**/",
    "'",
    "NaN",
    "Infinity",
    "null",
    "true",
    "-",
    "1e999999",
    "-1E-400",
    "0x10",
    "\"select\":",
    "\"limit\":-1",
    "{}",
];
/// What no value of a parameter is, or what a value hardly is.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "1.5",
    "-0",
    "1e3",
    "1e400",
    "-1e400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "{}",
    "[]",
    "[[]]",
    "[null]",
    "[1]",
    "[{}]",
    "{\"eq\":\"1\"}",
    "[\"eq.1\",[\"eq.1\"]]",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "[\"limit\",\"offset\"]",
];

/// The body that says the same as a query string. `None` where there is none: a parameter without `=`, or what is not UTF-8.
pub(super) fn of_query(query: &str) -> Option<Value> {
    let mut parameters = BTreeMap::<String, Vec<Value>>::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        let decoded = |text: &str| Some(percent_decode_str(&text.replace('+', " ")).decode_utf8().ok()?.into_owned());
        parameters.entry(decoded(name)?).or_default().push(Value::String(decoded(value)?));
    }
    let one = |mut values: Vec<Value>| if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
    Some(Value::Object(parameters.into_iter().map(|(name, values)| (name, one(values))).collect::<Map<_, _>>()))
}

/// A body that is made of another one, or of nothing.
pub(super) fn hostile(random: &mut StdRng, body: &Value) -> Vec<u8> {
    let mut below = |end: usize| random.random_range(0..end);
    let text = body.to_string();
    match below(12) {
        0 => {
            let (open, close) = [("[", "]"), ("{\"a\":", "}")][below(2)];
            let depth = [2, 100, 127, 128, 129, 20_000][below(6)];
            let name = ["select", "limit", "or", "x"][below(4)];
            let close = if below(3) == 0 { String::new() } else { close.repeat(depth) };
            format!("{{\"{name}\":{}\"1\"{close}}}", open.repeat(depth)).into_bytes()
        }
        1 | 2 => {
            let name = ["select", "limit", "offset", "order", "or", "cursor", "pages", "nothing", ""][below(9)];
            let rest = text.trim_start_matches('{');
            let comma = if rest.starts_with('}') { "" } else { "," };
            format!("{{{}:{}{comma}{rest}", json!(name), VALUES[below(VALUES.len())]).into_bytes()
        }
        3 => {
            let digits = [
                "9".repeat(400),
                "9".repeat(100_000),
                format!("1{}", "0".repeat(5_000)),
                format!("0.{}1", "0".repeat(5_000)),
            ];
            let (sign, name) = (["", "-"][below(2)], ["limit", "offset", "pages"][below(3)]);
            format!("{{\"{name}\":{sign}{}}}", digits[below(4)]).into_bytes()
        }
        // The same name twice, once written in another way.
        4 => {
            let (name, again) =
                [("limit", "limit"), ("limit", "\\u006cimit"), ("pages", "pages"), ("or", "o\\u0072")][below(4)];
            format!("{{\"{name}\":\"1\",\"{again}\":\"1\"}}").into_bytes()
        }
        5 => {
            let many = [100, 3_000][below(2)];
            let members: Vec<_> = (0..many).map(|number| format!("\"p{number}\":\"eq.1\"")).collect();
            format!("{{{}}}", members.join(",")).into_bytes()
        }
        6 => {
            let name = ["pages", "or", "select", "limit", "nothing"][below(5)];
            json!({name: vec!["eq.1"; [100, 3_000][below(2)]]}).to_string().into_bytes()
        }
        7 => {
            let long = ["(", "a", "\u{1f4a9}", ",", "\\", "not."][below(6)].repeat([5_000, 60_000][below(2)]);
            let body = if below(2) == 0 { json!({long: "eq.1"}) } else { json!({"select": long}) };
            body.to_string().into_bytes()
        }
        8 => {
            let whole = [
                "",
                " ",
                "[]",
                "\"select\"",
                "1",
                "null",
                "{",
                "}",
                "{}{}",
                "{} x",
                "{\"a\"}",
                "{\"a\":}",
                "{,}",
                "{\"limit\":1,}",
            ];
            whole[below(whole.len())].as_bytes().to_vec()
        }
        9 => {
            let bytes: [&[u8]; 6] = [
                b"\xff\xfe{\0}\0",
                b"\xef\xbb\xbf{}",
                b"{\"a\":\"\xff\"}",
                b"{\"\xc3\x28\":\"eq.1\"}",
                b"\x1f\x8b\x08\0",
                b"{\"a\":\"\xed\xa0\x80\"}",
            ];
            bytes[below(6)].to_vec()
        }
        _ => {
            let mut letters: Vec<char> = text.chars().collect();
            for _ in 0..1 + below(4) {
                let (one, other) = (below(letters.len() + 1), below(letters.len() + 1));
                let (from, to) = (one.min(other), one.max(other).min(one.min(other) + below(8)));
                letters.splice(from..to, PIECES[below(PIECES.len())].chars());
            }
            letters.into_iter().collect::<String>().into_bytes()
        }
    }
}
