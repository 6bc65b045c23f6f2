//! Names of those whom an issuer of JWTs knows.

use std::fmt::{self, Write as _};

/// Characters of a name that are kept: it is in the log and in histories.
pub const MAX_SUBJECT_CHARS: usize = 200;

/// The name of who has a JWT (`sub`), fit to be shown: an issuer may let its users choose their names, so what would look like another line, or like
/// nothing, is escaped, and what is too long is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Of the name as the issuer has it.
    pub(super) fn of(name: &str) -> Self {
        let mut shown = String::new();
        for character in name.chars().take(MAX_SUBJECT_CHARS) {
            match character {
                // They end nothing where names are shown.
                '\'' | '"' => shown.push(character),
                // Writing to a text does not fail.
                _ => _ = write!(shown, "{}", character.escape_debug()),
            }
        }
        if name.chars().nth(MAX_SUBJECT_CHARS).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str) -> String {
        Subject::of(name).to_string()
    }

    #[test]
    fn names_are_shown_as_they_are_if_they_can_be() {
        for name in ["auth0|5f7c8ec7c33c6c004bbafe82", "ada@example.com", "Zoë O'Neill", "a\"b"] {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn what_would_look_like_something_else_is_escaped_and_what_is_long_is_cut() {
        assert_eq!(shown("a\nb\u{202e}c\0"), "a\\nb\\u{202e}c\\0");
        // Two names that differ stay two.
        assert_eq!((shown("a\\n").as_str(), shown("a\n").as_str()), ("a\\\\n", "a\\n"));
        assert_eq!(shown(&"é".repeat(MAX_SUBJECT_CHARS)), "é".repeat(MAX_SUBJECT_CHARS));
        assert_eq!(shown(&"é".repeat(MAX_SUBJECT_CHARS + 1)), format!("{}…", "é".repeat(MAX_SUBJECT_CHARS)));
    }
}
