//! Names of tables, columns and indexes, those of streams and event types, and tags.

use std::{error::Error, fmt};

use crate::limits::MAX_NAME_BYTES;

/// Query parameters that are not a filter on a column.
const QUERY_WORDS: [&str; 9] = ["select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict"];
/// Columns that every Postgres table has.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// Whether two texts are equal, for checks at compile time, where `==` is not const.
#[must_use]
pub const fn is_equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Why a text cannot name a projection, a table, a column or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It is empty.
    Empty,
    /// Postgres would truncate it.
    TooLong {
        /// The name.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// It has a character outside of `[a-z0-9_]`, or begins with a digit.
    Character {
        /// The name.
        name: String,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name must not be empty"),
            Self::TooLong { name, bytes } => {
                write!(f, "the name `{name}` has {bytes} bytes; at most {MAX_NAME_BYTES} are allowed")
            }
            Self::Character { name } => {
                write!(f, "the name `{name}` must be made of a to z, 0 to 9 and _, and must not begin with a digit")
            }
        }
    }
}

impl Error for NameError {}

/// Checks a name that SQL, URLs and code use unquoted: `[a-z_][a-z0-9_]*`.
///
/// # Errors
/// Says which rule the name breaks.
pub fn check(name: &str) -> Result<(), NameError> {
    let Some(first) = name.bytes().next() else { return Err(NameError::Empty) };
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if first.is_ascii_digit() || !name.bytes().all(is_plain) {
        return Err(NameError::Character { name: name.to_owned() });
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { name: name.to_owned(), bytes: name.len() });
    }
    Ok(())
}

/// The rule of [`check`], for constants.
#[must_use]
pub const fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !matches!(bytes[index], b'a'..=b'z' | b'0'..=b'9' | b'_') {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty() && !bytes[0].is_ascii_digit() && bytes.len() <= MAX_NAME_BYTES
}

/// What already uses the name of a column; `None` if a column may have it.
#[must_use]
pub fn owner_of_column_name(name: &str) -> Option<&'static str> {
    if QUERY_WORDS.contains(&name) {
        Some("the query language of the HTTP API")
    } else if SYSTEM_COLUMNS.contains(&name) {
        Some("Postgres")
    } else {
        None
    }
}

/// Why a text is not the name of a stream, a category, an event type or a tag, nor one of those that effects have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogNameError {
    /// It is empty.
    Empty(&'static str),
    /// It has a control character.
    Control {
        /// Stream name, category, event type, tag …
        what: &'static str,
        /// The text.
        name: String,
        /// The character.
        character: char,
    },
    /// `.` or `..`: a URL with it leads elsewhere, however it is escaped.
    Dots(String),
    /// A category with a `-`.
    Dash(String),
}

impl fmt::Display for LogNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(what) => write!(f, "the {what} must not be empty"),
            Self::Control { what, name, character } => {
                write!(f, "the {what} {name:?} contains the control character {character:?}")
            }
            Self::Dots(name) => write!(
                f,
                "the stream name `{name}` cannot stand in a URL: clients take `.` and `..` for steps between folders; give \
                 the stream another name, such as `{name}-1`"
            ),
            Self::Dash(name) => write!(
                f,
                "the category `{name}` has a `-`; a category is what stands before the first `-` of a stream's name"
            ),
        }
    }
}

impl Error for LogNameError {}

/// Checks the name of a stream; how long it may be is a limit of its own.
///
/// # Errors
/// Empty, `.` or `..`, or with a control character.
pub fn check_stream(name: &str) -> Result<(), LogNameError> {
    check_log_name("stream name", name)?;
    if matches!(name, "." | "..") { Err(LogNameError::Dots(name.to_owned())) } else { Ok(()) }
}

/// Splits the name of a stream at its first `-` into category and id: `account-4711` into `account` and `4711`. Without a `-`, the
/// category is the whole name and the id is empty.
#[must_use]
pub fn split_stream(stream: &str) -> (&str, &str) {
    stream.split_once('-').unwrap_or((stream, ""))
}

/// Why a text is not a category, found where a category is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoryFault {
    /// It is empty.
    Empty,
    /// It contains a `-`.
    Dash,
    /// It contains a control character.
    Control,
}

/// The rule of [`check_category`], for constants.
#[must_use]
pub const fn category_fault(name: &str) -> Option<CategoryFault> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Some(CategoryFault::Empty);
    }
    let mut index = 0;
    while index < bytes.len() {
        if is_control(bytes, index) {
            return Some(CategoryFault::Control);
        }
        if bytes[index] == b'-' {
            return Some(CategoryFault::Dash);
        }
        index += 1;
    }
    None
}

/// Whether a character at an index of a text's bytes is a control character.
const fn is_control(bytes: &[u8], index: usize) -> bool {
    // U+0080 to U+009F are control characters of two bytes.
    bytes[index].is_ascii_control() || (bytes[index] == 0xc2 && bytes[index + 1] < 0xa0)
}

/// Checks the name of a category of streams.
///
/// # Errors
/// Empty, or with a `-` or a control character.
pub fn check_category(name: &str) -> Result<(), LogNameError> {
    check_log_name("category", name)?;
    if name.contains('-') { Err(LogNameError::Dash(name.to_owned())) } else { Ok(()) }
}

/// Checks the name of an event type; how long it may be is a limit of its own.
///
/// # Errors
/// Empty, or with a control character.
pub fn check_event_type(name: &str) -> Result<(), LogNameError> {
    check_log_name("event type", name)
}

/// Checks a tag of an event; how long it may be is a limit of its own.
///
/// # Errors
/// Empty, or with a control character.
pub fn check_tag(tag: &str) -> Result<(), LogNameError> {
    check_log_name("tag", tag)
}

/// The stream of an event that has this tag first and names no stream: `course-c1` for `course:c1`. Its first `:` becomes a `-`.
#[must_use]
pub fn stream_of_tag(tag: &str) -> String {
    tag.replacen(':', "-", 1)
}

/// What the names of categories begin with that are kept for events of the host itself.
const RESERVED: &str = "gnomon:";

/// Whether only the host itself appends to streams of this category, and to this stream: their names begin with `gnomon:`.
#[must_use]
pub fn is_reserved(category_or_stream: &str) -> bool {
    category_or_stream.starts_with(RESERVED)
}

/// The category of a reactor's own events: `gnomon:settlement`.
#[must_use]
pub fn own_category(reactor: &str) -> String {
    format!("{RESERVED}{reactor}")
}

/// Whether this is the category of a reactor's own events.
#[must_use]
pub fn is_own_category(category: &str, reactor: &str) -> bool {
    category.strip_prefix(RESERVED) == Some(reactor)
}

/// The stream of a reactor's own events under a name, that of a schedule, of a call or of a stream: `gnomon:settlement-transfer-7`. It may be longer than
/// the limit for names of streams, by as much as stands before the name: any name that a stream may have can be that of a schedule.
#[must_use]
pub fn own_stream(reactor: &str, name: &str) -> String {
    format!("{RESERVED}{reactor}-{name}")
}

/// Checks the name of a schedule or of a call, which may be as long as that of a stream. It may be empty: names are made of what follows the category
/// in the name of a stream, and there a stream need not have anything.
///
/// # Errors
/// It has a control character.
pub fn check_effect_name(name: &str) -> Result<(), LogNameError> {
    check_characters("name", name)
}

/// Checks the type of a message; how long it may be is a limit of its own.
///
/// # Errors
/// Empty, or with a control character.
pub fn check_message_type(name: &str) -> Result<(), LogNameError> {
    check_log_name("message type", name)
}

/// Checks the subject of a message; how long it may be is a limit of its own.
///
/// # Errors
/// Empty, or with a control character.
pub fn check_subject(subject: &str) -> Result<(), LogNameError> {
    check_log_name("subject", subject)
}

/// The rule of [`check_event_type`], for constants.
#[must_use]
pub const fn is_event_type(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if is_control(bytes, index) {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty()
}

fn check_log_name(what: &'static str, name: &str) -> Result<(), LogNameError> {
    if name.is_empty() {
        return Err(LogNameError::Empty(what));
    }
    check_characters(what, name)
}

fn check_characters(what: &'static str, name: &str) -> Result<(), LogNameError> {
    match name.chars().find(|character| character.is_control()) {
        Some(character) => Err(LogNameError::Control { what, name: name.to_owned(), character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_category_and_an_id() {
        for (stream, parts) in [
            ("account-1", ("account", "1")),
            ("flight-2013-UA", ("flight", "2013-UA")),
            ("all", ("all", "")),
            ("-1", ("", "1")),
            ("a-", ("a", "")),
        ] {
            assert_eq!(split_stream(stream), parts, "{stream}");
        }
    }

    #[test]
    fn a_tag_names_a_stream() {
        for (tag, stream) in
            [("course:c1", "course-c1"), ("course:c1:a", "course-c1:a"), ("all", "all"), (":", "-"), ("a-b:c", "a-b-c")]
        {
            assert_eq!(stream_of_tag(tag), stream, "{tag}");
        }
    }

    #[test]
    fn a_reactor_has_a_category_of_its_own() {
        let stream = own_stream("settlement", "transfer-7");
        assert_eq!(stream, "gnomon:settlement-transfer-7");
        assert_eq!(split_stream(&stream), (&*own_category("settlement"), "transfer-7"));
        assert!(is_own_category("gnomon:settlement", "settlement"));
        assert!(
            !["settlement", "gnomon:settlements", "gnomon:"].iter().any(|other| is_own_category(other, "settlement"))
        );
        assert!(is_reserved(&stream) && is_reserved("gnomon:") && !is_reserved("gnomon") && !is_reserved("a-gnomon:b"));
        assert_eq!((check_stream(&stream), check_category("gnomon:settlement")), (Ok(()), Ok(())));
    }

    #[test]
    fn a_tag_is_any_text_without_control_characters() {
        for tag in ["course:c1", "a", ":", " ", "a,b", "Ünï"] {
            assert_eq!(check_tag(tag), Ok(()), "{tag}");
        }
        let refused = |tag: &str| check_tag(tag).unwrap_err().to_string();
        assert_eq!(refused(""), "the tag must not be empty");
        assert_eq!(refused("a\0"), "the tag \"a\\0\" contains the control character '\\0'");
        assert_eq!(refused("a\u{9f}"), "the tag \"a\\u{9f}\" contains the control character '\\u{9f}'");
    }

    #[test]
    fn constants_have_the_rules_of_categories_and_event_types() {
        for name in ["", "a", "user-v1", "-", "é", "a\0", "a\u{7f}", "\u{80}", "a\u{9f}", "\u{a0}", "Â", "ÂÂ-"] {
            assert_eq!(category_fault(name).is_none(), check_category(name).is_ok(), "{name:?}");
            assert_eq!(is_event_type(name), check_event_type(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn plain_names_are_accepted() {
        for name in ["a", "_", "carrier_daily", "a1", &"x".repeat(63)] {
            assert_eq!(check(name), Ok(()), "{name}");
            assert!(is_plain(name), "{name}");
        }
    }

    #[test]
    fn constants_have_the_rule_of_names() {
        for name in ["", "1st", "Carrier", "a-b", "é", &"x".repeat(64)] {
            assert!(check(name).is_err() && !is_plain(name), "{name}");
        }
    }

    #[test]
    fn names_that_sql_or_urls_would_have_to_quote_are_refused() {
        assert_eq!(check(""), Err(NameError::Empty));
        for name in ["Carrier", "1st", "with space", "a-b", "a\"b", "é", "a\0"] {
            assert_eq!(check(name), Err(NameError::Character { name: name.into() }));
        }
        let long = "x".repeat(64);
        assert_eq!(check(&long), Err(NameError::TooLong { name: long.clone(), bytes: 64 }));
    }
}
