//! Where the values of a JSON text stand, so that some can be replaced and the rest stays byte for byte as it was.
//!
//! Parsers give values and not where they begin, and those that keep the text of a value read it once for each level above it. This reads a text once.

use std::{borrow::Cow, ops::Range};

/// A step from a value to one within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment<'t> {
    /// To the member of an object. An object may have several of one name.
    Member(Cow<'t, str>),
    /// To the item of an array.
    Item(usize),
}

impl Segment<'_> {
    /// Whether a pointer names it so.
    pub(super) fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Member(member) => member == name,
            Self::Item(index) => index.to_string() == name,
        }
    }
}

/// A text is not JSON, as everything is that the log has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data of an event is not JSON")]
pub(super) struct NotJson;

/// Visits each value of a JSON text, those within a value before it, with where it is and the bytes that it takes.
pub(super) fn visit_places<'t>(text: &'t str, visit: impl FnMut(&[Segment<'t>], Range<usize>)) -> Result<(), NotJson> {
    Scanner { text, at: 0, path: Vec::new(), visit }.value().ok_or(NotJson)
}

struct Scanner<'t, V> {
    text: &'t str,
    at: usize,
    path: Vec<Segment<'t>>,
    visit: V,
}

impl<'t, V: FnMut(&[Segment<'t>], Range<usize>)> Scanner<'t, V> {
    /// Passes over a value. `None` if the text is not JSON. It is as deep as the log lets JSON be.
    fn value(&mut self) -> Option<()> {
        self.blanks();
        let begin = self.at;
        match self.peek()? {
            b'{' => self.items(b'}', |scanner, _| {
                let name = scanner.string()?;
                scanner.blanks();
                scanner.expect(b':')?;
                Some(Segment::Member(decoded(name)?))
            })?,
            b'[' => self.items(b']', |_, index| Some(Segment::Item(index)))?,
            b'"' => drop(self.string()?),
            _ => {
                let rest = &self.text.as_bytes()[begin..];
                let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                self.at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        (self.visit)(&self.path, begin..self.at);
        Some(())
    }

    /// Passes over an object or an array; `segment` reads what stands before each value.
    fn items(&mut self, end: u8, segment: impl Fn(&mut Self, usize) -> Option<Segment<'t>>) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        for index in 0.. {
            self.blanks();
            let segment = segment(self, index)?;
            self.path.push(segment);
            self.value()?;
            self.path.pop();
            self.blanks();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                next if next == end => break,
                _ => return None,
            }
        }
        Some(())
    }

    /// Passes over a string, and returns it with its quotes.
    fn string(&mut self) -> Option<&'t str> {
        let begin = self.at;
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(begin..self.at)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let is_there = self.peek()? == byte;
        self.at += 1;
        is_there.then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// What a string says that is written with its quotes.
pub(super) fn decoded(quoted: &str) -> Option<Cow<'_, str>> {
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(quoted.strip_prefix('"')?.strip_suffix('"')?))
}

/// A text with some of its ranges replaced, which do not overlap.
pub(super) fn replaced(text: &str, mut replacements: Vec<(Range<usize>, String)>) -> String {
    replacements.sort_by_key(|(range, _)| range.start);
    let (mut result, mut end) = (String::with_capacity(text.len()), 0);
    for (range, replacement) in replacements {
        result.push_str(text.get(end..range.start).unwrap_or_default());
        result.push_str(&replacement);
        end = range.end;
    }
    result.push_str(text.get(end..).unwrap_or_default());
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::personal_data::{pointer::pointer_to, tests::json};

    fn places(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        visit_places(text, |path, range| found.push((pointer_to(path), text[range].to_owned()))).unwrap();
        found
    }

    #[test]
    fn each_value_is_found_where_it_stands() {
        let text = " {\"a\" : [1.50, {\"b\\u0020c\":\"x,\\\"]\"} ,[] ],\"a\":null,\"\":{}} ";
        let expected = [
            ("/a/0", "1.50"),
            ("/a/1/b c", "\"x,\\\"]\""),
            ("/a/1", "{\"b\\u0020c\":\"x,\\\"]\"}"),
            ("/a/2", "[]"),
            ("/a", "[1.50, {\"b\\u0020c\":\"x,\\\"]\"} ,[] ]"),
            ("/a", "null"),
            ("/", "{}"),
            ("", text.trim()),
        ];
        assert_eq!(places(text), expected.map(|(pointer, text)| (pointer.to_owned(), text.to_owned())));
    }

    #[test]
    fn what_is_not_json_is_an_error_and_never_a_panic() {
        for text in ["", "{", "[", "{\"a\"", "{\"a\":", "{\"a\":1", "[1", "[1,", "\"", "\"\\", "{1:2}", "[1 2]", "{\"ä"]
        {
            assert_eq!(visit_places(text, |_, _| {}), Err(NotJson), "{text}");
        }
    }

    proptest! {
        /// The oracle is the parser: what stands where a pointer leads is the value that it finds there.
        #[test]
        fn places_are_those_that_a_parser_finds(value in json()) {
            let text = serde_json::to_string_pretty(&value).unwrap();
            let mut count = 0;
            visit_places(&text, |path, range| {
                count += 1;
                let found: serde_json::Value = serde_json::from_str(&text[range]).unwrap();
                assert_eq!(value.pointer(&pointer_to(path)), Some(&found));
            }).unwrap();
            prop_assert_eq!(count, count_values(&value));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]{}\",:\\\\0-9a-fäu ]{0,40}") {
            let _ = visit_places(&text, |_, range| assert!(text.get(range).is_some()));
        }
    }

    fn count_values(value: &serde_json::Value) -> usize {
        1 + match value {
            serde_json::Value::Array(items) => items.iter().map(count_values).sum::<usize>(),
            serde_json::Value::Object(members) => members.values().map(count_values).sum(),
            _ => 0,
        }
    }
}
