//! Names of streams, categories and event types.

use std::fmt;

use gnomon_values::names;

/// Why a text is not the name of a stream, a category or an event type.
pub use gnomon_values::names::LogNameError as NameError;

/// The name of a stream, `category-id`: not empty, not `.` or `..`, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(String);

/// The name of an event's type: not empty, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(String);

/// A category of streams: the part of their names before the first `-`, so it has none itself. It is not empty and has no
/// control characters.
///
/// A stream whose name begins with `-` belongs to no category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(String);

impl StreamName {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, `.` or `..`, or with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_stream(&name).map(|()| Self(name))
    }

    /// Takes a name from the log, which was checked before it was appended.
    pub(super) fn trusted(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first `-`; the whole name if there is none. Empty for a name that begins with `-`: such a stream
    /// belongs to no [`Category`].
    #[must_use]
    pub fn category(&self) -> &str {
        names::split_stream(&self.0).0
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

    /// Takes a name from the log, which was checked before it was appended.
    pub(super) fn trusted(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Category {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, or with a `-` or a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_category(&name).map(|()| Self(name))
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
text!(Category);
text!(EventType);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_is_the_part_before_the_first_dash() {
        for (stream, category) in
            [("account-1", "account"), ("user-v1-54", "user"), ("audit", "audit"), ("a-", "a"), ("-1", ""), ("-", "")]
        {
            assert_eq!(StreamName::new(stream).unwrap().category(), category);
        }
    }

    #[test]
    fn a_category_is_what_a_stream_can_have() {
        assert_eq!(Category::new("user").unwrap().as_str(), "user");
        let refused = |name: &str| Category::new(name).unwrap_err().to_string();
        assert_eq!(
            refused("user-v1"),
            "the category `user-v1` has a `-`; a category is what stands before the first `-` of a stream's name"
        );
        assert_eq!(refused(""), "the category must not be empty");
        assert_eq!(refused("a\0"), "the category \"a\\0\" contains the control character '\\0'");
    }

    #[test]
    fn names_that_urls_take_for_path_steps_are_refused() {
        for name in [".", ".."] {
            let error = StreamName::new(name).unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{name}` cannot stand in a URL")) && error.contains("another name"),
                "{error}"
            );
        }
        for name in ["...", ".a", "a..", "./..", "..-1", "a/b", "a%2Fb", "a?b#c", " a b "] {
            assert!(StreamName::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn empty_names_and_control_characters_are_refused() {
        assert_eq!(StreamName::new("").unwrap_err().to_string(), "the stream name must not be empty");
        assert_eq!(
            EventType::new("Paid\n").unwrap_err().to_string(),
            "the event type \"Paid\\n\" contains the control character '\\n'"
        );
        assert!(StreamName::new("a\0b").is_err());
    }
}
