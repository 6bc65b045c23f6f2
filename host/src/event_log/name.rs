//! Names of streams, categories and event types.

use std::fmt;

use gnomon_values::names;
use serde::{Deserialize, Serialize};

/// Why a text names no stream, or no event type.
pub use gnomon_values::names::LogNameError as NameError;

/// The name of a stream, `category-id`: not empty, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

/// The name of an event's type: not empty, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventType(String);

impl StreamName {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, or with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_stream(&name).map(|()| Self(name))
    }

    /// Takes a name that was checked before: what the log has written.
    pub(super) fn trusted(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first `-`; the whole name where there is none.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(category, _)| category)
    }
}

impl EventType {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, or with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_event_type(&name).map(|()| Self(name))
    }

    /// Takes a name that was checked before: what the log has written.
    pub(super) fn trusted(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

text!(StreamName);
text!(EventType);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_stands_before_the_first_dash() {
        for (stream, category) in [("account-1", "account"), ("flight-2013-UA", "flight"), ("audit", "audit")] {
            assert_eq!(StreamName::new(stream).unwrap().category(), category);
        }
    }

    #[test]
    fn names_that_nobody_could_read_are_refused() {
        assert_eq!(StreamName::new("").unwrap_err().to_string(), "the stream name must not be empty");
        assert_eq!(
            EventType::new("Paid\n").unwrap_err().to_string(),
            "the event type \"Paid\\n\" contains the control character '\\n'"
        );
        assert!(StreamName::new("a\0b").is_err());
    }
}
