//! Reads the lists of quantified filters, `{a,"b",NULL}`: literals of arrays with one dimension, as Postgres reads them.
//!
//! Postgres is not given the literal as it is: each value of a list has the limits that a value on its own has, and times are truncated.

use super::error::QueryError;

/// The elements; `None` is null.
///
/// # Errors
/// It is not the literal of an array, or one of more dimensions.
pub(super) fn elements(literal: &str) -> Result<Vec<Option<String>>, QueryError> {
    let malformed = |details: &str| QueryError::malformed_list(literal, details);
    let inside = literal.trim_matches(is_blank).strip_prefix('{').ok_or_else(|| malformed(NO_BRACE))?;
    let mut reader = Reader { rest: inside };
    let mut elements = Vec::new();
    reader.blanks();
    if reader.take('}') {
        return reader.end().then_some(elements).ok_or_else(|| malformed(JUNK));
    }
    loop {
        elements.push(reader.element().map_err(malformed)?);
        reader.blanks();
        if reader.take('}') {
            return reader.end().then_some(elements).ok_or_else(|| malformed(JUNK));
        }
        if !reader.take(',') {
            return Err(malformed(if reader.rest.is_empty() { END } else { ELEMENT }));
        }
    }
}

const NO_BRACE: &str = "Array value must start with \"{\".";
const JUNK: &str = "Junk after closing right brace.";
const END: &str = "Unexpected end of input.";
const ELEMENT: &str = "Unexpected array element.";
const BRACE: &str = "Unexpected \"{\" character: a list has one dimension.";

/// What Postgres skips around elements.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest.strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn next(&mut self) -> Result<char, &'static str> {
        let next = self.rest.chars().next().ok_or(END)?;
        self.rest = &self.rest[next.len_utf8()..];
        Ok(next)
    }

    fn end(&mut self) -> bool {
        self.blanks();
        self.rest.is_empty()
    }

    fn element(&mut self) -> Result<Option<String>, &'static str> {
        self.blanks();
        if self.take('"') { self.quoted().map(Some) } else { self.bare() }
    }

    fn quoted(&mut self) -> Result<String, &'static str> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => text.push(self.next()?),
                letter => text.push(letter),
            }
        }
    }

    /// Without quotes: blanks at the end do not count, unless they are escaped, and `NULL` is null.
    fn bare(&mut self) -> Result<Option<String>, &'static str> {
        let (mut text, mut kept, mut escaped) = (String::new(), 0, false);
        while let Some(next) = self.rest.chars().next() {
            match next {
                ',' | '}' => break,
                '{' => return Err(BRACE),
                '"' => return Err(ELEMENT),
                _ => self.next()?,
            };
            if next == '\\' {
                text.push(self.next()?);
                escaped = true;
            } else {
                text.push(next);
            }
            if next == '\\' || !is_blank(next) {
                kept = text.len();
            }
        }
        text.truncate(kept);
        if text.is_empty() {
            return Err(if self.rest.is_empty() { END } else { "Unexpected \",\" or \"}\" character." });
        }
        Ok(if !escaped && text.eq_ignore_ascii_case("null") { None } else { Some(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_postgres_reads_them() {
        for (literal, expected) in [
            ("{}", vec![]),
            (" { } ", vec![]),
            ("{a}", vec![Some("a")]),
            ("{a, b ,\tc }", vec![Some("a"), Some("b"), Some("c")]),
            ("{a b}", vec![Some("a b")]),
            (r#"{"a,b","c\"d\\","" , "{}"}"#, vec![Some("a,b"), Some("c\"d\\"), Some(""), Some("{}")]),
            ("{NULL,null,\"NULL\",\\NULL,nulls}", vec![None, None, Some("NULL"), Some("NULL"), Some("nulls")]),
            (r"{a\,b,c\ ,\\}", vec![Some("a,b"), Some("c "), Some("\\")]),
            ("{é,*%_}", vec![Some("é"), Some("*%_")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|text| text.map(str::to_owned)).collect();
            assert_eq!(elements(literal), Ok(expected), "{literal}");
        }
    }

    #[test]
    fn what_is_not_a_list_is_refused() {
        for (literal, details) in [
            ("", NO_BRACE),
            ("a", NO_BRACE),
            ("(a,b)", NO_BRACE),
            ("{", END),
            ("{a", END),
            ("{a,", END),
            ("{\"a", END),
            ("{a\\", END),
            ("{a}b", JUNK),
            ("{a}}", JUNK),
            ("{\"a\"b}", ELEMENT),
            ("{a\"b\"}", ELEMENT),
            ("{{a}}", BRACE),
            ("{a,{b}}", BRACE),
            ("{,a}", "Unexpected \",\" or \"}\" character."),
            ("{a,}", "Unexpected \",\" or \"}\" character."),
        ] {
            let error = elements(literal).unwrap_err();
            assert_eq!(error.code.as_str(), "22P02", "{literal}");
            assert_eq!(error.message, format!("malformed array literal: \"{literal}\""));
            assert_eq!(error.details.as_deref(), Some(details), "{literal}");
        }
    }
}
