//! Names of tokens.

use std::fmt;

use crate::postgres::sql_text;

/// The name of a token, by which people, the log and the history know it: 1 to 63 of `a` to `z`, `0` to `9`, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenName(String);

/// Why a text is not the name of a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name for a token: it has 1 to 63 of the characters a to z, 0 to 9, `-`, `_` and `.`, and begins with a letter or a digit"
)]
pub struct TokenNameError(pub String);

impl TokenName {
    /// Checks a name.
    ///
    /// # Errors
    /// See [`TokenNameError`].
    pub fn new(name: String) -> Result<Self, TokenNameError> {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let is_name = (1..=63).contains(&name.len())
            && name.bytes().all(inside)
            && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        // Who pastes the token itself must not find it in an error.
        if is_name { Ok(Self(name)) } else { Err(TokenNameError(name.chars().take(8).collect())) }
    }

    /// As a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenName {
    type Error = TokenNameError;

    fn try_from(name: String) -> Result<Self, TokenNameError> {
        Self::new(name)
    }
}

sql_text!(TokenName);

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["app", "ci-2", "7", "a.b_c", &"x".repeat(63)] {
            assert_eq!(TokenName::new(name.to_owned()).unwrap().as_str(), name);
        }
        for name in ["", "App", "-a", "a b", "é", "a/b", &"x".repeat(64)] {
            assert!(TokenName::new(name.to_owned()).is_err(), "{name}");
        }
        let pasted = TokenName::new("gnomon_SECRETSECRETSECRET".to_owned()).unwrap_err().to_string();
        assert!(!pasted.contains("SECRET"), "{pasted}");
    }
}
