//! Events as lines.

use std::{borrow::Cow, fmt::Write as _, io};

use crate::cli::output;

/// Prints an event in one line. Its data may have line breaks; in JSON these are white space between tokens and never part of a
/// string, so they can become spaces.
pub(super) fn print(event: &str) -> io::Result<()> {
    output::data(one_line(event))
}

/// The same JSON without what a terminal would obey: white space between tokens becomes spaces, and control characters in strings, which JSON lets
/// stand from U+007F on, are escaped.
fn one_line(event: &str) -> Cow<'_, str> {
    if !event.contains(char::is_control) {
        return Cow::Borrowed(event);
    }
    let mut line = String::with_capacity(event.len() + 16);
    for char in event.chars() {
        match char {
            '\n' | '\r' | '\t' => line.push(' '),
            char if char.is_control() => {
                // Writing to a text does not fail.
                let _ = write!(line, "\\u{:04x}", u32::from(char));
            }
            char => line.push(char),
        }
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_str};

    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_of_an_event_and_the_json_is_the_same() {
        let event = "{\"a\":\n\t\"\u{9b}2J\u{7f}\u{85} \\u001b é\",\r\n \"n\": 1.10}";
        let line = one_line(event);
        assert_eq!(line, r#"{"a":  "\u009b2J\u007f\u0085 \u001b é",   "n": 1.10}"#.replace(r"\\", r"\"));
        assert!(!line.contains(char::is_control));
        assert_eq!(from_str::<Value>(&line).unwrap(), from_str::<Value>(event).unwrap());
        assert!(matches!(one_line("{\"a\": 1}"), Cow::Borrowed(_)));
    }
}
