//! A text of an event.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::{Deref, Range},
    sync::Arc,
};

/// A text of an [`Event`](crate::Event), such as the name of its stream. It is used like a `&str`; `to_string` makes a `String` of it.
///
/// It is a part of the texts of all events that came together, which is why it costs nothing to have one for each name.
#[derive(Clone)]
pub struct EventText {
    texts: Arc<String>,
    range: Range<u32>,
}

impl EventText {
    /// A part of texts, by bytes. What is not a part of them is empty.
    #[cfg(any(target_family = "wasm", test))]
    pub(crate) fn part(texts: &Arc<String>, range: Range<u32>) -> Self {
        Self { texts: Arc::clone(texts), range }
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.texts.get(self.range.start as usize..self.range.end as usize).unwrap_or_default()
    }
}

impl From<String> for EventText {
    /// # Panics
    /// The text has 4 GiB or more.
    fn from(text: String) -> Self {
        let Ok(end) = u32::try_from(text.len()) else { panic!("a text of {} bytes", text.len()) };
        Self { texts: Arc::new(text), range: 0..end }
    }
}

impl From<EventText> for String {
    fn from(text: EventText) -> Self {
        text.as_str().to_owned()
    }
}

impl Deref for EventText {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for EventText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for EventText {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for EventText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for EventText {}

impl PartialEq<str> for EventText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for EventText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<EventText> for str {
    fn eq(&self, other: &EventText) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<EventText> for &str {
    fn eq(&self, other: &EventText) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<String> for EventText {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialOrd for EventText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other)
    }
}

/// As that of a `str`.
impl Hash for EventText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn it_is_its_part_of_the_texts() {
        let texts = Arc::new("account-1MoneyDeposited".to_owned());
        let stream = EventText::part(&texts, 0..9);
        assert_eq!(stream, "account-1");
        assert_eq!(EventText::part(&texts, 9..23), *"MoneyDeposited");
        assert_eq!((stream.len(), format!("{stream:>10} {stream:?}")), (9, " account-1 \"account-1\"".to_owned()));
        assert_eq!(String::from(stream.clone()), "account-1");
        // Equal texts are equal, wherever they are from.
        let own = EventText::from("account-1".to_owned());
        assert_eq!(own, stream);
        assert_eq!(HashMap::from([(own, 7)]).get("account-1"), Some(&7));
        assert!(EventText::part(&texts, 1..3) < stream.clone() || stream < EventText::part(&texts, 1..3));
        assert_eq!(EventText::part(&texts, 20..40), "");
    }
}
