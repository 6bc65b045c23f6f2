//! Names of streams, categories and event types, and tags.

use std::{collections::HashSet, fmt};

use bytestring::ByteString;
use gnomon_values::names;

/// Why a text is not the name of a stream, a category or an event type, or not a tag.
pub use gnomon_values::names::LogNameError as NameError;

/// The name of a stream, `category-id`: not empty, not `.` or `..`, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(ByteString);

/// The name of an event's type: not empty, no control characters. How long it may be is a setting
/// ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(ByteString);

/// A category of streams: the part of their names before the first `-`, so it has none itself. It is not empty and has no
/// control characters.
///
/// A stream whose name begins with `-` belongs to no category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(ByteString);

/// A short text on an event, `course:c1`, by which decisions find it across streams: not empty, no control characters. How long it may be
/// is a setting ([`Limits`](super::Limits)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(ByteString);

impl StreamName {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, `.` or `..`, or with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_stream(&name).map(|()| Self(name.into()))
    }

    /// Takes a name from the log, which was checked before it was appended.
    pub(super) fn trusted(name: impl Into<ByteString>) -> Self {
        Self(name.into())
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

    /// Whether only the host appends to it.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        names::is_reserved(&self.0)
    }
}

impl EventType {
    /// Checks a name.
    ///
    /// # Errors
    /// Empty, or with a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        names::check_event_type(&name).map(|()| Self(name.into()))
    }

    /// Takes a name from the log, which was checked before it was appended.
    pub(super) fn trusted(name: impl Into<ByteString>) -> Self {
        Self(name.into())
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
        names::check_category(&name).map(|()| Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    /// Checks a tag.
    ///
    /// # Errors
    /// Empty, or with a control character.
    pub fn new(tag: impl Into<String>) -> Result<Self, NameError> {
        let tag = tag.into();
        names::check_tag(&tag).map(|()| Self(tag.into()))
    }

    /// Takes a tag from the log, which was checked before it was appended.
    pub(super) fn trusted(tag: impl Into<ByteString>) -> Self {
        Self(tag.into())
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stream of an event that is appended without one, and has this tag first: `course-c1` for `course:c1`.
    ///
    /// # Errors
    /// The tag is `.` or `..`.
    pub fn stream(&self) -> Result<StreamName, NameError> {
        StreamName::new(names::stream_of_tag(&self.0))
    }
}

/// The tags, each once, in the order in which they first occur.
#[must_use]
pub fn distinct_tags(tags: Vec<Tag>) -> Vec<Tag> {
    let mut distinct: Vec<Tag> = Vec::with_capacity(tags.len());
    let mut seen = HashSet::new();
    for tag in tags {
        if seen.insert(tag.clone()) {
            distinct.push(tag);
        }
    }
    distinct
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
                name.0.into()
            }
        }

        impl From<$name> for ByteString {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

text!(StreamName);
text!(Category);
text!(EventType);
text!(Tag);

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
    fn the_stream_of_a_tag_has_its_first_colon_as_a_dash() {
        for (tag, stream) in
            [("course:c1", "course-c1"), ("a:b:c", "a-b:c"), ("vip", "vip"), ("a-b:c", "a-b-c"), (":", "-")]
        {
            assert_eq!(Tag::new(tag).unwrap().stream().unwrap().as_str(), stream);
        }
        assert!(Tag::new("..").unwrap().stream().is_err());
    }

    #[test]
    fn a_tag_counts_once() {
        let tags = |names: &[&str]| names.iter().map(|tag| Tag::new(*tag).unwrap()).collect::<Vec<_>>();
        assert_eq!(distinct_tags(tags(&["b", "a", "b", "c", "a"])), tags(&["b", "a", "c"]));
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
