//! The tokens of a text that is known to be JSON.

/// Reads the tokens of a text, first to last.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    rest: &'t str,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// The first byte of the next token; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        self.rest = self.rest.trim_ascii_start();
        self.rest.as_bytes().first().copied().unwrap_or_default()
    }

    /// Takes a token of one byte, if it is the next.
    pub(super) fn take(&mut self, token: u8) -> bool {
        let found = self.peek() == token;
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// Takes the next token: a string with its quotes, a number, a word or a punctuation character.
    pub(super) fn token(&mut self) -> &'t str {
        let first = self.peek();
        let bytes = self.rest.as_bytes();
        let end = match first {
            b'"' => string_end(bytes),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ => bytes.iter().position(|byte| !is_scalar(*byte)).unwrap_or(bytes.len()),
        };
        // The split fails within a character of several bytes, which JSON has in strings only.
        let (token, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

/// A byte of a number or of `true`, `false` and `null`.
fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// The index after the closing quote of a string that `bytes` begin with.
fn string_end(bytes: &[u8]) -> usize {
    let mut index = 1;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => return index + 1,
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
    bytes.len()
}

/// The numbers of a JSON text, as they are written. In a text that is not JSON, the tokens that begin like numbers.
pub fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let mut scanner = Scanner::new(text);
    std::iter::from_fn(move || {
        loop {
            match scanner.token() {
                "" => return None,
                number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                    return Some(number);
                }
                _ => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_outside_of_strings() {
        let text = r#" {"1": [-1.5e3,0 , "2\"3"], "n": null, "x\\":7 } "#;
        assert_eq!(numbers(text).collect::<Vec<_>>(), ["-1.5e3", "0", "7"]);
        assert_eq!(numbers("é1").count() + numbers("").count() + numbers("\"1").count(), 0);
    }
}
