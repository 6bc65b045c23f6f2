//! JSON as snapshots show it: fields in the order and numbers in the digits in which they were sent, and what fits in a line on one
//! line. `serde_json` would sort the fields.

/// A line of a snapshot is not longer, unless it is one text or number.
const MAX_WIDTH: usize = 100;

pub(super) fn pretty(json: &str) -> String {
    let mut written = String::new();
    write(json.trim(), 0, &mut written);
    written
}

/// Writes a value behind what the current line has, in one line or in several.
fn write(value: &str, indent: usize, written: &mut String) {
    let column = written.len() - written.rfind('\n').map_or(0, |newline| newline + 1);
    let items = items(value);
    let brackets = match (value.chars().next(), items.is_empty()) {
        (Some(open @ ('{' | '[')), false) if column + one_line(value).len() > MAX_WIDTH => Some(open),
        _ => None,
    };
    let Some(open) = brackets else {
        written.push_str(&one_line(value));
        return;
    };
    written.push(open);
    for (number, item) in items.iter().enumerate() {
        written.push_str(if number == 0 { "\n" } else { ",\n" });
        written.push_str(&" ".repeat(indent + 2));
        let name_end = if open == '{' { outside_texts(item).find(|(_, character)| *character == ':') } else { None };
        let (name, item) = name_end.map_or(("", *item), |(colon, _)| (&item[..colon], &item[colon + 1..]));
        if !name.is_empty() {
            written.push_str(name);
            written.push_str(": ");
        }
        write(item, indent + 2, written);
    }
    written.push('\n');
    written.push_str(&" ".repeat(indent));
    written.push(if open == '{' { '}' } else { ']' });
}

/// The members of an object or the items of a list, as they are written.
fn items(value: &str) -> Vec<&str> {
    let (mut items, mut depth, mut begin) = (Vec::new(), 0, 1);
    for (at, character) in outside_texts(value) {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        let ends = (character == ',' && depth == 1) || (depth == 0 && matches!(character, '}' | ']'));
        if ends && begin < at {
            items.push(&value[begin..at]);
            begin = at + 1;
        }
    }
    items
}

/// A space behind each comma and colon outside of texts.
fn one_line(value: &str) -> String {
    let mut line = value.to_owned();
    let behind: Vec<usize> =
        outside_texts(value).filter(|(_, character)| matches!(character, ',' | ':')).map(|(at, _)| at + 1).collect();
    behind.into_iter().rev().for_each(|at| line.insert(at, ' '));
    line
}

/// The characters that are not within a text, with their offsets.
fn outside_texts(json: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut within, mut escaped) = (false, false);
    json.char_indices().filter(move |(_, character)| {
        let was_within = within;
        match character {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            _ => {}
        }
        !was_within && !within
    })
}

#[test]
fn fields_keep_their_order_and_numbers_their_digits() {
    assert_eq!(pretty(r#"{"b":1.50,"a":[],"c":{"t":"a,b:\"{"}}"#), r#"{"b": 1.50, "a": [], "c": {"t": "a,b:\"{"}}"#);
    let long = format!(r#"{{"b":["{}",{{"z":1,"a":2}}],"a":null}}"#, "x".repeat(MAX_WIDTH));
    let expected = format!(
        "{{\n  \"b\": [\n    \"{}\",\n    {{\"z\": 1, \"a\": 2}}\n  ],\n  \"a\": null\n}}",
        "x".repeat(MAX_WIDTH)
    );
    assert_eq!(pretty(&long), expected);
}
