//! Reads the text of one parameter, and remembers the furthest position that any alternative reached.
//!
//! Clients show PostgREST's syntax errors to people: the position, what was found there, and everything that was expected there.
//! A parser crate reports the last alternative that it tried or lets the caller merge them; this cursor is small because it
//! only steps through the text and keeps the misses at the furthest position.

use super::{
    error::QueryError,
    misses::{Expected, Misses, Unexpected},
};

/// The result of reading something.
pub(super) type Parsed<T> = Result<T, Stop>;

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The text does not match. Another alternative may; the cursor knows what was expected.
    Mismatch,
    /// The text is understood and refused; no other alternative is tried.
    Refused(Box<QueryError>),
}

impl From<QueryError> for Stop {
    fn from(error: QueryError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Reads all of `text` with a grammar. `what` and `shown` name it in errors: `failed to parse {what} ({shown})`.
pub(super) fn read<T>(
    what: &'static str,
    shown: &str,
    text: &str,
    grammar: impl FnOnce(&mut Cursor<'_>) -> Parsed<T>,
) -> Result<T, QueryError> {
    let mut cursor = Cursor { what, shown, text, at: 0, furthest: Misses::default() };
    let outcome = grammar(&mut cursor).and_then(|value| cursor.end().map(|()| value));
    outcome.map_err(|stop| match stop {
        Stop::Mismatch => cursor.error_at(cursor.furthest.position(), cursor.furthest.to_string()),
        Stop::Refused(error) => *error,
    })
}

/// A position in a text.
pub(super) struct Cursor<'a> {
    what: &'static str,
    shown: &'a str,
    text: &'a str,
    at: usize,
    furthest: Misses,
}

impl<'a> Cursor<'a> {
    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The text that is not read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the characters for which `wanted` holds; there may be none.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|next| !wanted(next)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Takes the next character, whatever it is.
    pub(super) fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Takes blanks, which may stand around names and brackets.
    pub(super) fn blanks(&mut self) {
        self.take_while(|next| matches!(next, ' ' | '\t'));
    }

    /// Takes `text` if it comes next. Otherwise reports the first character that differs as unexpected, at the position where
    /// `text` should have begun.
    pub(super) fn literal(&mut self, text: &'static str) -> bool {
        if self.rest().starts_with(text) {
            self.at += text.len();
            return true;
        }
        let mut expected = text.chars();
        let unexpected = self.rest().chars().find(|&next| expected.next() != Some(next));
        self.furthest.record(self.at, Unexpected::from(unexpected), Expected::Text(text));
        false
    }

    /// Takes `text` in any case. Otherwise reports the first character that differs as unexpected, at its own position.
    pub(super) fn literal_in_any_case(&mut self, text: &'static str) -> bool {
        let start = self.at;
        for wanted in text.chars() {
            match self.peek() {
                Some(next) if next.eq_ignore_ascii_case(&wanted) => self.at += next.len_utf8(),
                next => {
                    self.furthest.record(self.at, Unexpected::from(next), Expected::Text(text));
                    self.at = start;
                    return false;
                }
            }
        }
        true
    }

    /// Takes `text`, or fails.
    pub(super) fn expect(&mut self, text: &'static str) -> Parsed<()> {
        if self.literal(text) { Ok(()) } else { Err(Stop::Mismatch) }
    }

    /// Takes the point between the parts of a filter or an order.
    pub(super) fn delimiter(&mut self) -> bool {
        let found = self.rest().starts_with('.');
        if found {
            self.at += 1;
        } else {
            self.miss("delimiter (.)");
        }
        found
    }

    /// Whether everything is read.
    pub(super) fn at_end(&mut self) -> bool {
        match self.peek() {
            None => true,
            Some(next) => {
                self.furthest.record(self.at, Unexpected::Further(next), Expected::Label("end of input"));
                false
            }
        }
    }

    /// Fails unless everything is read.
    pub(super) fn end(&mut self) -> Parsed<()> {
        if self.at_end() { Ok(()) } else { Err(Stop::Mismatch) }
    }

    /// Records that `label` was expected here.
    pub(super) fn miss(&mut self, label: &'static str) {
        self.furthest.record(self.at, Unexpected::from(self.peek()), Expected::Label(label));
    }

    /// Records that `text` was expected here.
    pub(super) fn miss_text(&mut self, text: &'static str) {
        self.furthest.record(self.at, Unexpected::from(self.peek()), Expected::Text(text));
    }

    /// Records what may follow an item in brackets: what stands there is none of it.
    pub(super) fn miss_end_of_item(&mut self) {
        let unexpected = self.peek().map_or(Unexpected::End, Unexpected::Further);
        for text in [")", ","] {
            self.furthest.record(self.at, unexpected, Expected::Text(text));
        }
        self.furthest.record(self.at, unexpected, Expected::Label("end of input"));
    }

    /// Tries an alternative; on a mismatch, the cursor goes back to where it was.
    pub(super) fn attempt<T>(&mut self, reading: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let start = self.at;
        match reading(self) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Mismatch) => {
                self.at = start;
                Ok(None)
            }
            Err(refused) => Err(refused),
        }
    }

    /// As [`attempt`](Self::attempt), for a lookahead: what it expected is not reported.
    pub(super) fn attempt_silently<T>(&mut self, reading: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let before = self.furthest.clone();
        let outcome = self.attempt(reading);
        self.furthest = before;
        outcome
    }

    /// Reads something that errors report under one label, instead of all the texts that it could be.
    pub(super) fn labelled<T>(
        &mut self,
        label: &'static str,
        reading: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let before = std::mem::take(&mut self.furthest);
        let outcome = reading(self);
        let missed = std::mem::replace(&mut self.furthest, before);
        self.furthest.record_all(&missed, label);
        outcome
    }

    /// Only one alternative is left from here on: what the others expected is not reported.
    pub(super) fn commit(&mut self) {
        self.furthest = Misses::default();
    }

    /// An error at this position for text that matches the grammar but is wrong otherwise.
    pub(super) fn refuse(&self, details: impl Into<String>) -> Stop {
        self.error_at(self.at, details.into()).into()
    }

    fn error_at(&self, at: usize, details: String) -> QueryError {
        let (mut line, mut column) = (1, 1);
        for passed in self.text[..at].chars() {
            match passed {
                '\n' => (line, column) = (line + 1, 1),
                '\t' => column += 8 - (column - 1) % 8,
                _ => column += 1,
            }
        }
        let Self { what, shown, .. } = self;
        QueryError::syntax(format!("\"failed to parse {what} ({shown})\" (line {line}, column {column})"), details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str, grammar: impl FnOnce(&mut Cursor<'_>) -> Parsed<()>) -> (String, String) {
        let error = read("test", text, text, grammar).unwrap_err();
        (error.message, error.details.unwrap())
    }

    #[test]
    fn misses_at_the_furthest_position_are_reported_together() {
        let (message, details) = complaint("ab!", |cursor| {
            let one = |cursor: &mut Cursor<'_>| cursor.expect("ab").and_then(|()| cursor.expect("c"));
            let other = |cursor: &mut Cursor<'_>| cursor.expect("a").and_then(|()| cursor.expect("d"));
            let last = |cursor: &mut Cursor<'_>| cursor.expect("ab").and_then(|()| cursor.expect("e"));
            if cursor.attempt(one)?.is_some() || cursor.attempt(other)?.is_some() {
                return Ok(());
            }
            last(cursor)
        });
        assert_eq!(message, "\"failed to parse test (ab!)\" (line 1, column 3)");
        assert_eq!(details, "unexpected \"!\" expecting \"c\" or \"e\"");
    }

    #[test]
    fn a_label_stands_for_all_that_it_covers() {
        let (_, details) = complaint("x", |cursor| {
            cursor.labelled("letter", |cursor| {
                if cursor.literal("a") || cursor.literal("b") { Ok(()) } else { Err(Stop::Mismatch) }
            })
        });
        assert_eq!(details, "unexpected \"x\" expecting letter");
    }

    #[test]
    fn text_after_the_end_is_reported() {
        let (message, details) = complaint("é\t\n x", |cursor| {
            cursor.take_while(|next| next != 'x');
            Ok(())
        });
        assert_eq!(message, "\"failed to parse test (é\t\n x)\" (line 2, column 2)");
        assert_eq!(details, "unexpected 'x' expecting end of input");
    }

    #[test]
    fn tabs_count_as_in_an_editor() {
        assert_eq!(
            complaint("a\tb", |cursor| {
                cursor.take_while(|next| next != 'b');
                Ok(())
            })
            .0,
            "\"failed to parse test (a\tb)\" (line 1, column 9)"
        );
    }

    #[test]
    fn a_text_in_any_case_is_reported_where_it_differs() {
        let (message, details) =
            complaint("NiL", |cursor| if cursor.literal_in_any_case("null") { Ok(()) } else { Err(Stop::Mismatch) });
        assert_eq!(message, "\"failed to parse test (NiL)\" (line 1, column 2)");
        assert_eq!(details, "unexpected \"i\" expecting \"null\"");
        assert!(read("test", "", "NuLL", |cursor| Ok(cursor.literal_in_any_case("null"))).unwrap());
    }
}
