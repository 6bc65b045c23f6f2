//! Limits of regular expressions, which are what a client can make Postgres work at the longest with the fewest bytes.
//!
//! Postgres compares a regular expression in a time that grows with the text, but for two things: `(?=…)` and its like begin again at each
//! character (a text of 100,000 takes 11 s), and a reference such as `\1` tries all ways to match. Both are refused. And it takes a time
//! that grows with the third power of the expression, once its repetitions are written out, to make it ready: 20 s for 1,000 characters that
//! may be left out, and 30 ms for 200.

use super::{
    error::QueryError,
    limits::{MAX_PATTERN_BYTES, MAX_REGEX_SIZE},
};

/// Checks what it costs. Whether it is a regular expression, Postgres says.
///
/// # Errors
/// It is too long, too large with its repetitions written out, or has what is refused.
pub(super) fn check_regex(pattern: &str) -> Result<(), QueryError> {
    if pattern.len() > MAX_PATTERN_BYTES {
        let details = format!("It has {} bytes; at most {MAX_PATTERN_BYTES} are allowed.", pattern.len());
        return Err(QueryError::syntax("the regular expression is too long".to_owned(), details));
    }
    let refused = |details: &str| {
        Err(QueryError::syntax("the regular expression has what is not allowed".to_owned(), details.to_owned()))
    };
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    if pattern.starts_with("***") {
        return refused("It begins with ***: write like, or put a backslash before what has a meaning.");
    }
    let mut expression = Expression { rest: without_options(pattern), inside: Group::default(), around: Vec::new() };
    if let Err(details) = expression.read() {
        return refused(details);
    }
    let size = expression.size();
    if size > MAX_REGEX_SIZE {
        let details = format!(
            "With its repetitions written out it matches {size} characters; at most {MAX_REGEX_SIZE} are allowed."
        );
        return Err(QueryError::syntax("the regular expression is too large".to_owned(), details));
    }
    Ok(())
}

const GROUP: &str = "Of (?…), only (?:…) is allowed, and at the beginning options such as (?i).";
const REFERENCE: &str = "A reference to a group such as \\1 is not allowed; write a character by its number as \\x31.";

/// The expression without the options at its beginning that leave its grammar as it is.
fn without_options(pattern: &str) -> &str {
    let options = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    match options {
        Some((letters, rest)) if !letters.is_empty() && letters.bytes().all(|letter| b"cimnpstw".contains(&letter)) => {
            rest
        }
        _ => pattern,
    }
}

/// What is counted of a group: the characters that it matches once its repetitions are written out, and those of its last part, which a
/// repetition would repeat.
#[derive(Default)]
struct Group {
    size: usize,
    last: usize,
}

impl Group {
    fn add(&mut self, part: usize) {
        self.size = self.size.saturating_add(part);
        self.last = part;
    }

    fn repeat(&mut self, times: usize) {
        let repeated = self.last.saturating_mul(times.max(1));
        self.size = self.size.saturating_add(repeated - self.last);
        self.last = repeated;
    }
}

struct Expression<'a> {
    rest: &'a str,
    inside: Group,
    around: Vec<Group>,
}

impl Expression<'_> {
    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    /// All of it, with groups that are not closed.
    fn size(&self) -> usize {
        self.around.iter().fold(self.inside.size, |size, group| size.saturating_add(group.size))
    }

    fn read(&mut self) -> Result<(), &'static str> {
        while let Some(next) = self.take() {
            match next {
                '\\' => match self.take() {
                    Some('1'..='9') => return Err(REFERENCE),
                    // `\c(` is one character.
                    escaped => {
                        if escaped == Some('c') {
                            self.take();
                        }
                        self.inside.add(1);
                    }
                },
                '[' => {
                    self.bracket();
                    self.inside.add(1);
                }
                '(' => {
                    if let Some(special) = self.rest.strip_prefix('?') {
                        self.rest = special.strip_prefix(':').ok_or(GROUP)?;
                    }
                    self.around.push(std::mem::take(&mut self.inside));
                }
                ')' => {
                    let inside = self.inside.size.max(1);
                    self.inside = self.around.pop().unwrap_or_default();
                    self.inside.add(inside);
                }
                '{' if self.rest.starts_with(|digit: char| digit.is_ascii_digit()) => {
                    let times = self.bound();
                    self.inside.repeat(times);
                }
                '*' | '+' | '?' => {}
                _ => self.inside.add(1),
            }
        }
        Ok(())
    }

    /// A set of characters. A bracket at its beginning, and one within `[:alpha:]`, does not end it.
    fn bracket(&mut self) {
        self.rest = self.rest.strip_prefix('^').unwrap_or(self.rest);
        self.rest = self.rest.strip_prefix(']').unwrap_or(self.rest);
        while let Some(next) = self.take() {
            match next {
                ']' => return,
                '\\' => {
                    let escaped = self.take();
                    if escaped == Some('c') {
                        self.take();
                    }
                }
                '[' => {
                    let end = match self.rest.chars().next() {
                        Some(':') => ":]",
                        Some('.') => ".]",
                        Some('=') => "=]",
                        _ => continue,
                    };
                    self.rest = self.rest[1..].split_once(end).map_or("", |(_, rest)| rest);
                }
                _ => {}
            }
        }
    }

    /// The larger number of `{2}`, `{2,}` and `{2,5}`.
    fn bound(&mut self) -> usize {
        let (numbers, rest) = self.rest.split_once('}').unwrap_or((self.rest, ""));
        self.rest = rest;
        numbers
            .split(',')
            .map(|number| number.parse().unwrap_or(if number.is_empty() { 1 } else { usize::MAX }))
            .max()
            .unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(pattern: &str) -> usize {
        let mut expression = Expression { rest: pattern, inside: Group::default(), around: Vec::new() };
        expression.read().unwrap();
        expression.size()
    }

    #[test]
    fn repetitions_are_written_out() {
        for (pattern, expected) in [
            ("", 0),
            ("^abc$", 5),
            ("a{3}b", 4),
            ("a{2,5}b{2,}", 7),
            ("(ab){3}", 6),
            ("((ab){3}c){10}", 70),
            ("(?:(a|b){10}){10}", 300),
            ("a{3}{4}", 12),
            ("a{0}", 1),
            ("(a*)*b+?", 2),
            ("()", 1),
            ("(a{5", 5),
            ("a{x}{", 5),
            (r"\{3}\(\d{3}", 7),
            ("[a-z]{4}[]{9}]{2}[^]]{3}", 9),
            ("[[:alpha:]]{2}[[.].]]{3}[[=]=]]{4}", 9),
            (r"[\]{9}]{2}", 2),
            ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}", 26),
            ("a{99999999999999999999}{99999999999999999999}", usize::MAX),
            (r"(\c({20}\c)", 21),
            (r"[\c][]{20}", 20),
            ("))a{3}", 4),
        ] {
            assert_eq!(size(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_costs_too_much_is_refused() {
        let longest = format!("[{}]", "x".repeat(MAX_PATTERN_BYTES - 2));
        for pattern in ["a{200}", "(?i)^a+(b|c)$", "***:(?n)a", "(?:a)", r"\y\mword\M", "[\\1]", longest.as_str()] {
            assert_eq!(check_regex(pattern), Ok(()), "{pattern}");
        }
        for (pattern, message) in [
            ("a{201}", "the regular expression is too large"),
            ("(((a{6}){6}){6})", "the regular expression is too large"),
            (&"a".repeat(201), "the regular expression is too large"),
            (&format!("{longest}x"), "the regular expression is too long"),
            (r"(a)\1", "the regular expression has what is not allowed"),
            ("(?=a)b", "the regular expression has what is not allowed"),
            ("(?!a)b", "the regular expression has what is not allowed"),
            ("(?<=a)b", "the regular expression has what is not allowed"),
            ("(?<!a)b", "the regular expression has what is not allowed"),
            ("a(?#comment){200}", "the regular expression has what is not allowed"),
            // Blanks and comments between a group and its repetition.
            ("(?x)(a{20}) {20}", "the regular expression has what is not allowed"),
            // Other grammars.
            (r"(?b)\(a\{20\}\)\{20\}", "the regular expression has what is not allowed"),
            ("(?q)a", "the regular expression has what is not allowed"),
            ("***=a", "the regular expression has what is not allowed"),
            ("***:(?=a)", "the regular expression has what is not allowed"),
        ] {
            let error = check_regex(pattern).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), ("PGRST100", message), "{pattern}");
        }
    }
}
