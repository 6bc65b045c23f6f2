//! Names of sinks.

use std::fmt;

use crate::postgres::sql_text;

/// Bytes of a name, at most.
const MAX_BYTES: usize = 63;

/// The name of a sink: a lowercase letter, and then lowercase letters, digits, `_` and `-`, at most 63 together. It stands in URLs and in the
/// descriptors of modules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkName(String);

/// A text is not a [`SinkName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a sink: one begins with a lowercase letter, has lowercase letters, digits, `_` and `-`, and at most {MAX_BYTES} of \
     them"
)]
pub struct SinkNameError(String);

impl SinkName {
    /// Checks a name.
    ///
    /// # Errors
    /// It has other characters, too many, or none.
    pub fn new(name: impl Into<String>) -> Result<Self, SinkNameError> {
        let name = name.into();
        let may_follow = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        let is_name = name.len() <= MAX_BYTES
            && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
            && name.bytes().all(may_follow);
        if is_name { Ok(Self(name)) } else { Err(SinkNameError(shown(&name))) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As much of a text as a message shows.
fn shown(text: &str) -> String {
    text.chars().take(MAX_BYTES + 1).collect::<String>().escape_debug().to_string()
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SinkName {
    type Error = SinkNameError;

    fn try_from(name: String) -> Result<Self, SinkNameError> {
        Self::new(name)
    }
}

impl From<SinkName> for String {
    fn from(name: SinkName) -> Self {
        name.0
    }
}

sql_text!(SinkName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_urls_as_they_are() {
        for name in ["a", "orders", "bank-2_test", &"a".repeat(63)] {
            assert_eq!(SinkName::new(name).unwrap().as_str(), name);
        }
        for name in ["", "A", "1a", "-a", "a.b", "a/b", "ä", "a\n", &"a".repeat(64)] {
            assert!(SinkName::new(name).is_err(), "{name}");
        }
        assert!(SinkName::new("a\nb").unwrap_err().to_string().starts_with("`a\\nb` is not the name of a sink"));
    }
}
