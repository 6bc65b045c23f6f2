//! Patterns of names: `account`, `order*`.

use std::fmt;

/// Bytes of a pattern, at most.
pub const MAX_NAME_PATTERN_BYTES: usize = 255;

/// A pattern of names: `*` stands for any characters, or none; everything else stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

/// Why a text is not a pattern of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a pattern of names: it has 1 to {MAX_NAME_PATTERN_BYTES} bytes without blanks, commas, quotes, backslashes and control \
     characters, and `*` for any characters, as in order*"
)]
pub struct NamePatternError(pub String);

impl NamePattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// See [`NamePatternError`].
    pub fn new(text: &str) -> Result<Self, NamePatternError> {
        // Neither a list of scopes (RFC 6749, 3.3) nor a list of patterns could have the others.
        let allowed = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ',' | '"' | '\\');
        if (1..=MAX_NAME_PATTERN_BYTES).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NamePatternError(text.chars().take(MAX_NAME_PATTERN_BYTES).collect()))
        }
    }

    /// Whether a name fits. It takes at most as many steps as both have bytes, multiplied.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut from) = (0, 0);
        // Where to go on if what follows the last `*` does not fit: the `*` then stands for one byte more.
        let mut last_star: Option<(usize, usize)> = None;
        while from < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    last_star = Some((at, from));
                    at += 1;
                }
                Some(byte) if *byte == name[from] => (at, from) = (at + 1, from + 1),
                _ => match last_star {
                    Some((star, begun)) => {
                        last_star = Some((star, begun + 1));
                        (at, from) = (star + 1, begun + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("account", "account", true),
            ("account", "accounts", false),
            ("account", "accoun", false),
            ("account", "Account", false),
            ("order*", "order", true),
            ("order*", "orders", true),
            ("order*", "reorder", false),
            ("*order", "reorder", true),
            ("*", "", true),
            ("*", "anything at all", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a**c", "ac", true),
            ("caf*", "café", true),
            ("x", "", false),
        ] {
            assert_eq!(NamePattern::new(pattern).unwrap().fits(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_a_list_of_scopes_cannot_have_is_refused() {
        for text in ["", "a b", "a,b", "a\"", "a\\", "a\n", &"x".repeat(256)] {
            let error = NamePattern::new(text).unwrap_err().to_string();
            assert!(error.contains("as in order*"), "{error}");
        }
    }

    /// By recursion, which takes long for long patterns.
    fn slowly(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            ([b'*', rest @ ..], _) => (0..=name.len()).any(|skipped| slowly(rest, &name[skipped..])),
            ([byte, rest @ ..], [first, others @ ..]) => byte == first && slowly(rest, others),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn fits_as_the_definition_says(pattern in "[ab*]{1,8}", name in "[ab]{0,10}") {
            let expected = slowly(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(NamePattern::new(&pattern).unwrap().fits(&name), expected);
        }
    }
}
